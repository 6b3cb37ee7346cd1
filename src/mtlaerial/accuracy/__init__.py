"""Design-based accuracy of maps: check points, error-adjusted areas, accuracies and height errors."""
