"""Charts of the report as inline SVG: shapes, texts and colours by attributes alone, as its content policy asks."""
