"""What analysts see: questions about `activity`, their answers, and how these look."""
