"""Teachers, by role: what gives images, what gives pairs, what is scored and described."""
