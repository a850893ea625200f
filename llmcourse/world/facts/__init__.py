"""Who is who and what is where: word tables, the knowledge base, its articles, invented events."""
