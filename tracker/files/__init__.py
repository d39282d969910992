"""Files that people upload: how they are received, known for what they are, stored, served and cleaned."""
