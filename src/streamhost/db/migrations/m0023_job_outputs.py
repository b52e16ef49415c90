"""What the processes of jobs said before they failed."""

OUTPUTS = """
CREATE TABLE job_outputs (
    job_id TEXT PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
    output TEXT NOT NULL
);
"""

SCRIPTS = (OUTPUTS,)
