"""What methods are worth: split by time, full ranking, slices, intervals, verdicts."""
