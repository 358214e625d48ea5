"""The changes of the table of kicks, in order."""
