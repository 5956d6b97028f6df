"""The connection of a site to the public grid."""
