"""The command `oumi`: a command maps its arguments to settings and returns an exit code."""
