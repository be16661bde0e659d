# Words of the portal's pages. Marks such as <b> are allowed in sentences that are shown as HTML.

# -- around every page
skip = Skip to the content
practice = Practice mode: no real money moves
nav-account = Account
all-invoices = All invoices
sign-out = Sign out
sign-in = Sign in
sign-in-for-all = Sign in to see all invoices
questions = Questions?
session-link = For your safety this page closes after 30 minutes without use.
session-contact = You stay signed in for 24 hours.
session-ends = This page closes in 2 minutes.
stay-signed-in = Stay signed in
offline = You are offline. Nothing has been sent.
error-title = Error: { $title }
problem = There is a problem
cancel = Cancel
continue = Continue
back-to-invoice = Back to invoice
print = Print

# -- status words
status-partly-paid = Partly paid
status-paid = Paid
status-credited = Credited
status-nothing-due = Nothing due
status-in-progress = Payment in progress
status-void = Void
status-written-off = Written off

# -- the invoice page
invoice = Invoice
invoice-heading = Invoice { $number }
invoice-title-left = Invoice { $number } – { $left } left to pay, due { $due }
invoice-title-part = Paying { $amount } of { $left } – Invoice { $number }
invoice-title-status = Invoice { $number } – { $status }
amount-due = Amount due
left-to-pay = Left to pay
total = Total
paid-so-far = Paid so far
in-progress = In progress
credited = Credited
due-by = by { $due }
was-due-on = was due on { $due }
you-are-paying = You are paying
paying-of = of { $left }
left-after = Left after this
pay-amount = Pay { $amount }
pay-part = Pay partial amount: { $amount }
pay-all-instead = Pay the full { $amount } instead
change-amount = Change amount
amount-chosen = Amount to pay is now { $amount }. { $left } will be left.
amount-not-changed = Amount not changed
in-full-only = { $merchant } asks for this invoice to be paid in full.
paid-in-full-on = Paid in full on { $on }
paid-in-full = Paid in full
nothing-due = Nothing due
invoice-void = { $merchant } cancelled this invoice on { $on }. Nothing is due.
invoice-credited = { $merchant } credited all of this invoice. Nothing is due.
invoice-written-off = { $merchant } has closed this invoice. Nothing is due.
from = From
to = To
issued = Issued
due = Due
your-order = Your reference
lines-caption = What this invoice is for
what-for = For
amount = Amount
before-tax = Before tax

# -- notices on the invoice page
notice-own-unfinished = You started a card payment of { $amount } at { $at } and have not finished it. No money has been taken.
notice-someone-elses = A card payment of { $amount } is being made right now. You can pay the other { $left }. If it is not finished, the { $amount } is free again.
notice-someone-elses-all = A card payment of { $amount } is being made right now. If it is not finished, the { $amount } is free again.
notice-checking = We are checking a payment of { $amount }. Do not pay it again. We will e-mail you as soon as we know.
notice-all-in-flight = All of this invoice is being paid right now. Nothing more to pay unless that payment does not go through.
notice-overdue = This was due on { $due }. Paying any part now is still useful: reminders count only what is left.
notice-overdue-in-full = This was due on { $due }.
notice-too-little = { $left } is left, less than a card can take. { $merchant } has been told; there is nothing you need to do
notice-credited = { $merchant } credited { $amount } on this invoice on { $on }.
notice-replaces = This invoice replaces { $number }, which your link was for.
continue-to-card = Continue to the card page
cancel-and-restart = Cancel it and start again

# -- payments on an invoice
payments = Payments
payment-received = Received { $on }
payment-received-by = Received { $on }, from { $by }
payment-started = Started { $on }, not finished yet
payment-started-by = Started by { $by } on { $on }, not finished yet
payment-checking = We are checking this payment, started { $on }
payment-not-completed = Started { $on }, not completed. No money was taken
payment-left-after = { $left } left after it
receipt = Receipt
see-payment = See this payment
method-card = Card
method-ending = { $brand } ending { $last4 }
method-card-payment = Card payment
method-credit = Customer credit

# -- choosing an amount
amount-title = Change the amount – Invoice { $number }
amount-question = How much do you want to pay now?
amount-label = Amount to pay now, in { $currency }
amount-between = Between { $minimum } and { $left }
amount-up-to = Any amount up to { $left }
amount-only-all = { $left } is the least that can be paid now
amount-live = Left to pay after this: { $left }, due { $due }.
amount-live-full = This pays all that is left.
confirm-amount = Confirm amount
chip-half = Half { $amount }
chip-all = All { $amount }
chip-same = Same as last time { $amount }
