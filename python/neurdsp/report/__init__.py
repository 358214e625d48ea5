"""Parts of reports that families share: figures, HTML pages, and a player of several tracks in step."""
