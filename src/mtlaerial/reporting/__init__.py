"""Tables over methods and seeds, and the report page."""
