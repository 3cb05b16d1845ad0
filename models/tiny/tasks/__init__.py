"""The task families that oumi-tiny is taught and tested on."""
