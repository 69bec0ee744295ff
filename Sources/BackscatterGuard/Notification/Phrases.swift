// The words by which people and programs say that mail failed, that it is returned below, or that nobody is there.
// They only help to tell a bounce from other mail; no id is ever taken because of a phrase alone.

enum Phrases {
    /// In From: the sender is a mail system, not a person.
    static let daemons = PhraseSet([
        "mailer-daemon", "mailer_daemon", "mailerdaemon", "mail-daemon", "mailer daemon", "mdaemon@", "postmaster", "post_master", "post-master",
        "mail delivery", "mail deliver", "delivery subsystem", "system administrator", "mail system", "mail server", "jetmail system",
        "double-bounce", "internet mail delivery", "mail administrator", "mail router", "delivery notice",
    ])

    /// In Subject: a mail failed, waits or is returned.
    static let failedSubjects = PhraseSet([
        "undeliver", "delivery status", "delivery fail", "delivery has failed", "delivery problem", "delivery error", "delivery notif",
        "delivery report", "delivery to ", "delivery delay", "delivery incomplete", "failure notice", "failure delivery", "failure notif",
        "failed mail", "failed delivery", "failed message", "returned mail", "returned to sender", "returned email", "returned e-mail",
        "returned message", "returning message", "return to sender", "mail failed", "mail failure", "mail delivery", "message delivery",
        "email delivery", "non-delivery", "nondelivery", "nondeliverable", "non delivery", "non-deliverable", "not delivered",
        "not be delivered", "couldn't be delivered", "cannot be delivered", "could not send", "cannot send", "can't send",
        "could not deliver", "unable to deliver", "unable to send", "warning: message", "message delayed", "delayed mail", "delayed message",
        "mail delayed", "delayed:", "delayed ", "message frozen", "mail system error", "mail error", "error sending",
        "error(s) in forwarding", "mail rejected", "message rejected", "rejected:", "bounced", "bounce notification", "bounce message", "bounce report", "bounce:", "permanent delivery", "permanent fatal",
        "message status", "message you sent", "user unknown", "host unknown", "unknown user", "mailbox full", "over quota",
        "dsn:", "dsn (", "ndn:", "unzustellbar", "nicht zugestellt", "unzustellbarkeit", "nicht zustellbar", "zustellung",
        "non remis", "remise", "impossible de remettre", "onbestelbaar", "niet bestel", "impossibile", "mancato recapito",
        "mancata consegna", "no se puede entregar", "no entregado", "devuelto", "entrega", "n\u{e3}o entregue", "nao entregue",
        "olevererat", "olevererbar", "kan ikke leveres", "ikke leveret", "niedostar", "nie dostar", "nie mo\u{17c}na dostar", "nedoru",
        "недостав", "Недостав", "не доставлен", "Не доставлен", "ошибка доставки", "Ошибка доставки", "non recapitabil", "k\u{e9}zbes\u{ed}thetetlen",
        "K\u{e9}zbes\u{ed}thetetlen", "toimittamaton", "ei voi toimittaa", "teslim edileme", "系统退信", "退信", "郵件無法", "邮件无法", "配信不能",
    ])

    /// In the text: a mail was not delivered.
    static let failures = PhraseSet([
        "not be delivered", "couldn't be delivered", "cannot be delivered", "can not be delivered", "can't be delivered",
        "was not delivered", "wasn't delivered", "not been delivered", "not yet been delivered", "not delivered", "be undeliverable",
        "yet to be delivered", "unable to deliver", "wasn't able to deliver", "could not deliver", "couldn't deliver", "cannot deliver",
        "not able to deliver", "undeliverable", "undelivered", "delivery failed", "delivery has failed", "delivery failure",
        "failed to deliver", "failed to be delivered", "delivery to the following", "delivery errors", "delivery problems",
        "permanent error", "permanent fatal", "permanent failure", "fatal error", "returned to sender", "returned to you",
        "was rejected", "were rejected", "has been rejected", "been rejected", "did not reach", "couldn't reach", "could not reach",
        "user unknown", "unknown user", "unknown address", "no such user", "no such address", "host unknown", "unknown host",
        "unknown recipient", "invalid recipient", "invalid address", "invalid user", "mailbox full", "mailbox is full", "mailbox exceeds",
        "mailbox unavailable", "mailbox not found", "mailbox does not exist", "over quota", "quota exceeded", "exceeded the quota",
        "transcript of session", "trouble delivering", "error sending", "delivery status", "mail delivery", "non-delivery",
        "could not be sent", "couldn't be sent", "unrouteable", "relaying denied", "does not exist", "has been frozen",
        "encountered the following error", "syntax error", "account has been disabled", "may not exist", "550 ", "554 ", "553 ", "552 ", "551 ",
        "(550", "(554", "550-", "554-", "konnte nicht", "nicht zugestellt", "no pudo ser entregado", "no se ha podido", "non remis",
        "n'a pas pu", "n\u{e3}o p\u{f4}de", "nao pode ser", "impossibile recapitare", "kunne ikke leveres",
        "konnten nicht", "unzustellbar", "no se pudo", "no ha podido", "no pudo entregar", "n\u{e3}o foi poss\u{ed}vel entregar", "nao foi possivel entregar",
        "n'a pu", "n'ont pu", "non \u{e8} stato possibile", "kon niet worden", "kunde inte", "nie mo\u{17c}na dostar", "nelze doru", "nem siker\u{fc}lt",
        "не может быть доставлен", "не было доставлен", "не был доставлен", "не удалось доставить", "teslim edileme",
    ])

    /// In the text of a mail system: something is wrong with a mail.
    static let troubles = PhraseSet([
        "failed", "failure", "fails", "refused", "rejected", "reject", "error", "denied", "delayed", "not accepted", "unable to", "could not",
        "undeliver", "bounce", "frozen", "no mailbox", "not exist", "not found", "unknown",
    ])

    /// In the text: the very words of a program that writes nothing but bounces.
    static let signatures = PhraseSet([
        "this is the qmail-send program", "qmail-send program at", "message was created automatically by mail delivery software",
        "this is the mail system at host", "this is the dragonfly mail agent", "this is the mailer-daemon, please",
        "this is a delivery status notification", "automatically generated delivery status notification",
        "i'm sorry to have to inform you that", "did not reach the following recipient", "failed to these recipients",
        "had permanent fatal errors", "had transient non-fatal errors", "we were unable to deliver your message",
        "unable to deliver message to the following", "this is the qreceipt program", "non-delivery report",
        "automatic bounce notification", "this is the maildrop program", "message could not be delivered to the following",
        "delivery to the following recipient", "this is an automatically generated delivery",
    ])

    /// In the text: a receipt of qmail's qreceipt, which tells the id in a line of its own.
    static let receipts = PhraseSet(["this is the qreceipt program"])

    /// In Subject: a person is away, or a machine thanks.
    static let autoReplies = PhraseSet([
        "out of office", "out of the office", "out-of-office", "automatic reply", "automatic response", "automated reply",
        "automated response", "auto reply", "auto:", "auto-reply", "autoreply", "auto response", "auto-response", "autoresponse", "autoresponder",
        "autorespond", "vacation", "away from", "i am away", "on holiday", "on leave", "abwesen", "automatische antwort", "autosvar",
        "absence", "r\u{e9}ponse automatique", "reponse automatique", "respuesta autom", "resposta autom", "risposta automatica",
        "automatyczna", "odpowied", "fuera de la oficina", "fuera de oficina", "ausencia", "fuori ufficio", "automatisch antwoord",
        "afwezig", "thank you for your e-mail", "thank you for your email", "thank you for your mail", "thank you for your message",
        "thank you for contacting", "thanks for your", "we have received your",
    ])

    /// Beginnings of Subject: a read receipt in one of Exchange's own wrappings.
    static let readReceipts = PhraseSet([
        "read:", "not read:", "gelesen:", "ungelesen:", "lu :", "lu:", "non lu", "le\u{ed}do:", "letto:", "gelezen:", "l\u{e4}st:", "lest:", "lida:",
    ])

    /// Lines behind which the returned mail begins, without the dashes, bars and stars around the words.
    static let markers = PhraseSet([
        "below this line is a copy", "below this line is the original", "below this line is the header", "enclosed are the original header",
        "enclosed is a copy", "enclosed is the original", "below is a copy of", "this is a copy of the", "this is a copy of your",
        "here is a copy of", "here is the original", "here are the header", "original message", "original mail", "original email",
        "original e-mail", "original header", "the original message follows", "the original mail follows", "the original message header",
        "message headers follow", "message header follows", "message header", "message text follows", "message follows",
        "message contents follow", "message body follows", "unsent message", "undelivered message follows", "undelivered message",
        "undelivered mail", "returned message", "returned mail", "start of returned message", "begin returned message",
        "the returned message", "returned content", "header of the source mail", "header of the original", "headers of the original",
        "headers follow", "the header and top", "the headers of", "the header of", "bounced e-mail", "bounced email", "bounced message",
        "bounced mail", "rejected message", "failed message", "failed mail", "copy of the original", "copy of your message", "copy of message",
        "copy of the message", "your original message", "your message follows", "your message header", "text of message",
        "the first lines of", "the first part of", "first part of your message", "start of message", "start message", "begin message",
        "included is a copy", "included below is", "attached is a copy", "attached is the original", "the message header",
        "the text of your message", "the text of the message", "a copy of your message", "a copy of the", "mail headers follow", "mail header",
        "old message", "source message", "message source", "mensaje original", "mensagem original", "message d'origine",
        "message original", "urspr\u{fc}ngliche nachricht", "urspruengliche nachricht", "messaggio originale", "oorspronkelijk bericht",
        "oryginalna wiadomo", "here is your returned mail", "below the next line is", "intestazioni originali", "ursprungliga", "urspr",
        "en-t", "encabezados", "cabe\u{e7}alhos", "oprindelige", "opprinnelige", "oorspronkelijke", "message de retour", "your original",
    ])
}
