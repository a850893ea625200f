"""nbgrader, set up for this course: the same file serves the command line and formgrader."""

c = get_config()

c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
# Without "*.py" and "*.toml" generate_assignment would publish solutions and all hints.
c.CourseDirectory.ignore = ["*.py", "*.toml", ".ipynb_checkpoints", "__pycache__"]
c.CourseDirectory.ignore += [".DS_Store", "._*", "Thumbs.db", "desktop.ini", "~$*", "*.tmp"]

c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your turn")'}
c.ClearSolutions.text_stub = "*Your answer here.*"

# Submissions are graded in the sandbox, whoever asks: `nbgrader autograde`, formgrader's button, or
# `autograder grade`. nbgrader's own steps would run them with the instructor's rights; they refuse.
from autograder.classroom import convert  # noqa: E402

convert.install()
c.Autograde.sanitize_preprocessors = ["autograder.classroom.convert.Refuse"]
c.Autograde.autograde_preprocessors = ["autograder.classroom.convert.Refuse"]
c.ExportApp.plugin_class = "autograder.classroom.exports.SafeCsvExport"
# Feedback pages without a script: formulas are shown offline, and nothing in a page can act.
c.GenerateFeedback.exporter_class = "autograder.classroom.feedback_page.FeedbackPage"
