"""What several causes judge alike."""
