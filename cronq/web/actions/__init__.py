"""What both pages and API do when somebody asks for it, once it is plain who does."""
