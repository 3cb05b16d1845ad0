"""The command `oumi`: one file a command, typed values in, exit code out."""
