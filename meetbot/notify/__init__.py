"""Notices become mails here, and mails leave by SMTP."""

from meetbot.notify.compose import Composer
from meetbot.notify.preview import page_of
from meetbot.notify.smtp import SmtpMailer

__all__ = ["Composer", "SmtpMailer", "page_of"]
