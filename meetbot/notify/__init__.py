"""Notices become mails here, and mails leave by SMTP."""
