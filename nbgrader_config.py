"""nbgrader, set up for this course: the same file serves the command line and formgrader."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
# Without "*.py" and "*.toml" generate_assignment would publish solutions and all hints.
c.CourseDirectory.ignore = ["*.py", "*.toml", ".ipynb_checkpoints", "__pycache__"]

c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your turn")'}
c.ClearSolutions.text_stub = "*Your answer here.*"
