"""What is measured, and by which program: `bin/bench NAME --json FILE`."""
