"""Tables over methods and seeds, and the HTML report."""
