"""Tax: which VAT a supply bears, and how much, by dated rates with their sources."""
