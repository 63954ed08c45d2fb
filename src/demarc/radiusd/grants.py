"""What the database role demarc_radius may do: table -> privileges, columns in brackets where not the whole row."""

GRANTS: dict[str, tuple[str, ...]] = {}
