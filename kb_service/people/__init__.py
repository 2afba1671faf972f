"""Who answers: expertise, skills, and which case goes to whom."""
