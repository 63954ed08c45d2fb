"""The work behind each word of the `demarc` command, one module each with `run(args) -> exit code`."""
