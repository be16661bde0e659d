# Words of the mails, where the pages do not have them.

mail-invoice-subject = Invoice { $number } from { $merchant }: { $left } due { $due }
mail-left-subject = { $left } left on { $number }, due { $due }
mail-overdue-subject = { $left } left on { $number }, due since { $since }
mail-invoice-preheader = { $left } due { $due }. You can pay part of it.
mail-invoice-preheader-whole = { $left } due { $due }.
mail-invoice-for = Invoice { $number } from { $merchant }
mail-due-on = due { $due }
mail-due-since = due since { $due }
mail-link-subject = Your link to invoice { $number } from { $merchant }
mail-nothing-left = Nothing is left to pay on { $number }.
mail-view = View invoice
mail-view-and-pay = View and pay
mail-pay-part = Pay part of it
mail-forward = Not you? Forward this to the right person: they can open it without an account.
mail-code-subject = { $code } is your code for { $merchant }
mail-code-label = Your code
mail-code-words = It works for 10 minutes. If you did not ask for it, ignore this mail.
mail-received = Received
mail-received-preheader = Your receipt from { $merchant }
mail-part = We received { $amount }. { $left } is left on { $number }, due { $due }
mail-part-overdue = We received { $amount }. { $left } is left on { $number }, due since { $due }
mail-now-left = Another payment came since: { $now } is left now.
mail-now-paid = Another payment came since: { $number } is paid in full now.
mail-full = { $number } is paid in full. Thank you.
mail-failed = Your { $amount } for { $number } did not go through. No money was taken.
mail-failed-left = { $left } is left to pay, due { $due }.
