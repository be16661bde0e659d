# Words of the portal's pages. Marks such as <b> are allowed in sentences that are shown as HTML.

# -- around every page
skip = Skip to the content
practice = Practice mode: no real money moves
nav-account = Account
all-invoices = All invoices
saved-methods = Saved methods
change-company = Change company
sign-out = Sign out
sign-in = Sign in
sign-in-for-all = Sign in to see all invoices
questions = Questions?
link-review-us = Review us
link-refer-a-friend = Refer a friend
link-terms = Terms
link-privacy = Privacy
session-link = For your safety this page closes after 30 minutes without use.
session-contact = You stay signed in for 24 hours.
session-ends = This page closes in 2 minutes.
session-contact-ends = You will be signed out in 2 minutes.
sign-in-again = Sign in again
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
status-returned = Returned by bank
status-in-dispute = In dispute

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
card-at-most = A card payment can be at most { $most }.
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
tax = Tax

# -- notices on the invoice page
notice-own-unfinished = You started a card payment of { $amount } at { $at } and have not finished it. No money has been taken.
notice-own-unfinished-bank = You started a payment of { $amount } from a bank account on { $on } and have not finished it. No money has been taken.
notice-own-challenge = Your bank wants to check it is you before { $amount } is paid by your saved card. No money has been taken.
notice-not-opened = The card page for your payment of { $amount } did not open. No money has been taken.
notice-giving-up = You cancelled your card payment of { $amount }. No money has been taken. It is free again as soon as the card page is closed, within minutes.
notice-someone-elses = { $count ->
    [one] A card payment of { $amount } is being made right now. You can pay the other { $left }. If it is not finished, the { $amount } is free again.
   *[other] { $count } card payments of { $amount } in all are being made right now. You can pay the other { $left }. If they are not finished, the { $amount } is free again.
}
notice-someone-elses-all = { $count ->
    [one] A card payment of { $amount } is being made right now. If it is not finished, the { $amount } is free again.
   *[other] { $count } card payments of { $amount } in all are being made right now. If they are not finished, the { $amount } is free again.
}
notice-clearing = A bank debit of { $amount } started on { $on } is still clearing, usually done by { $until }.
notice-clearing-by = A bank debit of { $amount } started by { $by } on { $on } is still clearing, usually done by { $until }.
notice-clearing-open = A bank debit of { $amount } started on { $on } is still clearing.
notice-held = A bank debit of { $amount } goes to the bank on { $on } at { $time }.
notice-pay-the-other = You can pay the other { $left } now.
as-is = { $words }
notice-taken-back = { $amount } that was paid here was taken back by the bank, so it is owed again. { $why }
notice-contested = The card’s bank is looking into the { $amount } payment of { $on }. Nothing has to be done here.
notice-checking = We are checking a payment of { $amount }. Do not pay it again. We will e-mail you as soon as we know.
notice-all-in-flight = All of this invoice is being paid right now. Nothing more to pay unless that payment does not go through.
notice-overdue = This was due on { $due }. Paying any part now is still useful: reminders count only what is left.
notice-overdue-in-full = This was due on { $due }.
notice-too-little = { $left } is left, less than a card can take. { $merchant } has been told; there is nothing you need to do
notice-too-much = A card payment can be at most { $most }, and { $merchant } takes no part of this invoice that small. Ask how to pay: { $contact }
notice-no-method = { $merchant } takes no payments on this page at the moment. Ask how to pay: { $contact }
notice-paused = No payment can be made right now. Nothing is lost: you can read your invoices and receipts. Try again in a few minutes.
continue-to-card = Continue to the card page
continue-to-bank = Continue to the bank page
cancel-and-restart = Cancel it and start again

# -- payments on an invoice
payments = Payments
payment-received = Received { $on }
payment-received-by = Received { $on }, from { $by }
payment-started = Started { $on }, not finished yet
payment-started-by = Started by { $by } on { $on }, not finished yet
payment-by-link = the link sent to { $email }
payment-by-someone = someone at { $company }
payment-checking = We are checking this payment, started { $on }
payment-clearing = Started { $on }, clearing; usually arrives by { $until }
payment-clearing-open = Started { $on }, clearing
payment-held = Started { $on }, goes to the bank on { $sent } at { $time }
payment-contested = Received { $on }. The card’s bank is looking into it.
payment-taken-back = Received { $on }, taken back by the bank { $back }
refund-begun = A refund of { $amount } was started { $on }.
refund-owed-again = Refunded { $amount } on { $on }. It is owed again.
refund-price-given-back = Refunded { $amount } on { $on }. The price was lowered by as much, so it is not owed again.
refund-paid = Refunded { $amount } on { $on }.
refund-kept = A refund of { $amount } could not be paid. It became your credit on { $on }.
payment-not-completed = Started { $on }, not completed. No money was taken
payment-tries = { $count ->
    [one] { $count } try not completed
   *[other] { $count } tries not completed
}
payment-credit = Applied { $on }
payment-credit-used = Your credit was used { $on }
payment-credited = Issued { $on }
payment-moved-here = Moved to this invoice by { $merchant } { $on }
payment-moved-away = Moved off this invoice by { $merchant } { $on }
payment-left-after = { $left } left after it
receipt = Receipt
see-payment = See this payment
method-card = Card
method-ending = { $brand } ending { $last4 }
method-card-payment = Card payment
method-bank-debit = Bank debit
method-bank-ending = Bank account ending { $last4 }
method-bank-at = { $bank } account ending { $last4 }
method-cheque = Cheque
method-cheque-reference = Cheque { $reference }
method-wire = Bank transfer
method-wire-reference = Bank transfer { $reference }
method-cash = Cash
method-cash-reference = Cash { $reference }
method-credit = Customer credit
method-credit-note = Credit note { $number }

# -- using credit
your-credit = Your credit
credit-have = You have { $credit } credit with { $merchant }.
credit-label = Credit to use, in { $currency }
credit-up-to = Up to { $most }
credit-use = Use credit
credit-title = Use credit – Invoice { $number }
credit-heading = Use { $amount } of your credit?
credit-used-now = Credit to use
credit-left-after = Your credit after it
credit-confirm = Use { $amount } of your credit
credit-using = Using it…
credit-charges-nothing = No card and no bank account is charged.
notice-credit-used = { $amount } of your credit was used.
no-credit-used = No money has been taken, and no credit was used.
credit-not-an-amount = Enter an amount above zero, such as { $example }
credit-over-left = That is more than is left to pay. { $left } is left. Choose a smaller amount
credit-over-have = That is more than your credit. You have { $credit }. Choose a smaller amount
credit-nothing-left = Nothing is left to pay on { $number } right now. Your credit stays as it is
credit-none = You have no credit with { $merchant } any more. Pay another way, on the invoice

# -- choosing an amount
amount-title = Change the amount – Invoice { $number }
amount-question = How much do you want to pay now?
amount-label = Amount to pay now, in { $currency }
amount-between = Between { $minimum } and { $most }
amount-up-to = Any amount up to { $most }
amount-only-all = { $left } is the least that can be paid now
amount-live = Left to pay after this: { $left }, due { $due }.
amount-live-full = This pays all that is left.
confirm-amount = Confirm amount
chip-half = Half { $amount }
chip-all = All { $amount }
chip-same = Same as last time { $amount }

# -- signing in
sign-in-title = Sign in
sign-in-heading = See your invoices
sign-in-no-password = No password to remember.
work-email = Work e-mail
send-code = Send me a code
code-title = Enter your code
code-heading = Enter your code
code-sent = If we know { $email }, a code is on its way. It works for 10 minutes.
code-before-paying = To pay { $amount } we first send a code to { $email }.
code-other-browser = You asked for a code in another browser. Type the code from the same e-mail here.
code-label = Code from the e-mail, 6 digits
code-none = No code after a few minutes? Check that this is the address the invoice was sent to, or write to { $contact }.
send-another-code = Send another code
sign-in-to = Sign in to { $merchant }
sign-in-link-lead = You came by the link in our e-mail. One press and you are in.
sign-in-instead = Sign in instead
companies-title = Which company?
company-left = { $count ->
    [one] { $count } open invoice, { $left } left
   *[other] { $count } open invoices, { $left } left
}
company-nothing = Nothing left to pay
and = { $first } and { $last }

# -- a payment link that does not lead to its invoice
link-ended-heading = Open the link in your e-mail again
link-ended = For your safety this page closes after 30 minutes without use. Nothing was taken.
link-over-heading = Open the link in your e-mail again, or sign in
link-over = For your safety this page closes after a while. Nothing was taken.
link-expired-heading = This link has ended
link-expired = This link stopped working on { $on }. We can send a new one to { $email }.
link-expired-alone = This link stopped working on { $on }. Sign in, or ask for a new one.
link-send-new = Send a new link
link-renewed-heading = Look in your e-mail
link-renewed = A new link is on its way to { $email }.
link-revoked-heading = This link has ended
link-revoked = { $merchant } has ended this link. Sign in, or ask for a new one.
link-void-heading = Nothing is due
link-other-heading = This invoice is for another company
link-other = You are signed in as { $name } at { $company }. This invoice is for { $for }.
link-open-as = Open as { $company }
link-identify-heading = First, who is paying?
link-identify = To pay { $amount } we first send a code to { $email }.

# -- the list of invoices
list-title = Invoices – { $tab }
list-heading = Left to pay to { $merchant }
list-heading-none = Invoices from { $merchant }
list-overdue = { $amount } of it is overdue.
list-nothing-yet = Nothing here yet. When { $merchant } sends an invoice it appears on this page.
list-all-paid = All paid. Your last payment was { $amount } on { $on }.
list-all-in-progress = Nothing is left to pay now. What is open is being paid right now.
list-nothing-left = Nothing is left to pay.
list-none-in-progress = No payment is in progress.
list-none-paid = No invoice is paid in full yet.
list-no-match = No invoice matches ‘{ $search }’.
clear-search = Clear search
nav-invoices = Invoices
nav-pages = Pages of the list
previous-page = Previous
next-page = Next
tab-to-pay = To pay ({ $count })
tab-in-progress = In progress ({ $count })
tab-paid = Paid
tab-all = All
caption-to-pay = Invoices to pay, { $count }, sorted by { $sort }
caption-in-progress = Invoices in progress, { $count }, sorted by { $sort }
caption-paid = Paid invoices, { $count }, sorted by { $sort }
caption-all = All invoices, { $count }, sorted by { $sort }
search-label = Find by number, order or amount
sort-label = Sort by
row-now-paid = { $number } is now paid
sort-due = due date
sort-number = number
sort-left = amount left
apply = Apply
status = Status
left = Left
pay = Pay
pay-invoice = Pay<span class="hear"> { $number }</span>

# -- saved methods
methods-title = Saved methods
methods-none = Nothing is saved. When you pay, tick “Save for next time”, or add a card or account here.
methods-lead = Only you see these, and only you can pay with them.
method-default = Offered first
method-make-default = Offer first
method-make-default-name = Offer first: { $title }
method-remove = Remove
method-remove-name = Remove { $title }
method-expired = Expired
method-expires = Expires { $until }
method-no-agreement = Your agreement for this account has ended. Add it again to pay with it.
method-saved-on = Saved on { $on }
method-agreement = Your agreement
method-add = Add a card or account
method-add-title = Add a card or account
method-add-question = What do you want to save?
method-add-card = Card
method-add-under = You give it on { $processor }’s page and come back here. Nothing is charged.
method-added = Saved. You can pay with it now.
method-removed = Removed. It cannot be charged any more.
method-add-silent = Nothing was charged and nothing was saved. The page could not be opened. Try again in a few minutes.
method-not-added = Nothing was charged and nothing was saved.
method-declined = Nothing was charged and nothing was saved. Your bank said no.
method-not-offered = Nothing was charged and nothing was saved. { $merchant } does not take this any more. Choose another one.
remove-title = Remove { $title }?
remove-lead = It cannot be charged any more. Payments that were made with it stay as they are.
remove-agreement = You take back your leave to debit this account.
remove-held = The debit of { $amount } that has not been sent yet is stopped.
remove-pending = The payment of { $amount } is on its way and cannot be stopped here.
remove-it = Remove it
keep-it = Keep it
method-waiting = { $title }: started { $on }, not finished yet
method-continue = Continue

# -- the proof of an agreement
agreement-title = Your agreement
agreement-holds = It holds.
agreement-ended = It ended on { $on }. Nothing more is taken on it.
agreement-pending = { $count ->
    [one] One debit was sent before and is on its way.
   *[other] { $count } debits were sent before and are on their way.
}
agreement-wording = What you agreed to
agreement-account = Account
agreement-rule = How often
agreement-once = Once
agreement-standing = Each time you ask for it, until you take it back
agreement-name = Name
agreement-email = E-mail
agreement-agreed = Agreed
agreement-from = Network address
agreement-browser = Browser
agreement-reference = Reference
agreement-hash = Fingerprint of the text (SHA-256)
agreement-revoke = Take this agreement back
agreement-revoke-hint = Nothing is taken from the account on it any more. A debit that has not been sent yet is stopped.

# -- small deposits that prove an account
verify-waiting-heading = Two small amounts are on their way
verify-waiting = No money has been taken. Your bank account gets two small amounts by { $arrives }. Read them on your statement and enter them by { $ends }.
verify-waiting-code = No money has been taken. Your bank account gets a deposit of 0.01 by { $arrives }. Beside it stands a code of six characters: enter it by { $ends }.
verify-ready-heading = Enter the two small amounts
verify-ready = No money has been taken. Two small amounts should be in your bank account since { $arrives }. Enter them by { $ends }.
verify-ready-code = No money has been taken. A deposit of 0.01 should be in your bank account since { $arrives }. Enter the code beside it by { $ends }.
verify-wrong = No money has been taken. The amounts you entered are not those we sent. Look at your statement again and enter them by { $ends }; after a few wrong tries this account cannot be used.
verify-wrong-code = No money has been taken. The code you entered is not the one we sent. Look at your statement again and enter it by { $ends }; after a few wrong tries this account cannot be used.
verify-too-many-heading = Too many tries
verify-too-many = No money has been taken. The amounts were wrong too often, so this account cannot be used. Use another account, or a card.
verify-expired-heading = The time for the small amounts is over
verify-expired = No money has been taken. The small amounts were not entered in time. Begin again, or use another way.
verify-not-delivered-heading = The small amounts did not arrive
verify-not-delivered = No money has been taken. Your bank took no deposit for this account. Check its number, or use another one.
verify-enter = Enter what you read

# -- check and pay
pay-title = Check and pay { $amount } – Invoice { $number }
check-and-pay = Check and pay
earlier-paid = You paid { $amount } on this invoice { $ago }.
earlier-started = You started a payment of { $amount } on this invoice { $ago }.
earlier-another = Continue only if you want to pay another { $amount }.
see-that-payment = See that payment
paying-now = Paying now
change = Change
the-amount = the amount
fee = Fee
no-fee = No fee
fee-charged = { $fee } · Charged to your card { $charged }
fee-debited = { $fee } · Taken from your account { $charged }
left-to-pay-after = Left to pay
for = For
pay-payee = { $merchant } (statement line { $line })
how = How
by-card = Card
how-to-pay = How do you want to pay?
way-us-bank-account = Bank account in the US
way-sepa-debit = Bank account in Europe (SEPA)
way-arrives-at-once = Arrives at once
way-arrives-on = Usually arrives by { $date }; shown as in progress until then
way-at-least = { $way }: { $least } at least. Pay more, or use another way.
way-at-most = { $way }: { $most } at most. Pay less, or use another way.
way-in-steps = { $way } cannot carry this exact amount. Use another way.
way-gone = This way to pay is not available for this amount any more. Choose another one.
your-agreement = Your agreement
mandate-us-bank-account = You allow { $merchant } to take { $amount } from the bank account that you give on the next page, once, on or after { $date }. If we make a mistake we may send the money back to the same account. The debit is sent to your bank as soon as you agree there; it cannot be stopped here afterwards. To take your leave back before, close that page; to object afterwards, write to { $help }. A business agrees to be bound by the ACH rules.
mandate-sepa-debit = By giving your account on the next page you authorise { $merchant } to send instructions to your bank to debit your account with { $amount }, once, and your bank to debit your account in accordance with the instructions from { $merchant }. As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement with your bank. A refund must be claimed within 8 weeks starting from the date on which your account was debited. The debit is sent as soon as you agree there; it cannot be stopped here afterwards. Write to { $help } with questions.
mandate-saved-us-bank-account = You allow { $merchant } to take { $amount } from the account ending { $last4 } on or after { $date }, once. If we make a mistake we may send the money back to the same account. You can stop this until { $until } on { $date } by pressing Stop this payment, or by writing to { $help }. A business agrees to be bound by the ACH rules.
mandate-saved-sepa-debit = You authorise { $merchant } to send instructions to your bank to debit the account ending { $last4 } with { $amount }, once, on or after { $date }, and your bank to debit it in accordance with the instructions from { $merchant }. As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement with your bank. A refund must be claimed within 8 weeks starting from the date on which your account was debited. You can stop this until { $until } on { $date } by pressing Stop this payment, or by writing to { $help }.
mandate-keep-us-bank-account = You also allow { $merchant } to take later amounts from this account, each when you ask for it on this portal or have agreed to it elsewhere, until you remove the account or write to { $help }.
mandate-keep-sepa-debit = You also authorise { $merchant } to send instructions for later amounts to your bank, each when you ask for it on this portal or have agreed to it elsewhere, until you remove the account or write to { $help }. The same right to a refund holds for each of them.
mandate-setup-us-bank-account = You allow { $merchant } to take amounts from the bank account that you give on the next page, each when you ask for it on this portal or have agreed to it elsewhere. Nothing is taken now. If we make a mistake we may send the money back to the same account. This holds until you remove the account or write to { $help }. A business agrees to be bound by the ACH rules.
mandate-setup-sepa-debit = By giving your account on the next page you authorise { $merchant } to send instructions to your bank to debit your account, each when you ask for it on this portal or have agreed to it elsewhere, and your bank to debit your account in accordance with the instructions from { $merchant }. Nothing is taken now. As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement with your bank. A refund must be claimed within 8 weeks starting from the date on which your account was debited. This holds until you remove the account or write to { $help }.
saved-expires = { $title }, expires { $until }
saved-gone = This saved card or account cannot be used any more. Choose another one.
way-expired = { $way } is over. Use another way.
use-another-way = Use another card or bank account
use-a-saved-way = Use a saved card or account
keep = Save for next time
keep-about = It is kept by { $processor }. { $merchant } sees its kind, its last four digits and when it expires. You can remove it under Saved methods.
keep-about-debits = It is kept by { $processor }. { $merchant } sees its kind, its last four digits and when it expires. With a bank account you also allow { $merchant } to take later amounts, each when you ask for it. You can remove it under Saved methods.
pay-now = Pay now
pay-under-button-card = Your card is charged when you press the button.
pay-under-button-saved = What you chose is charged when you press the button.
pay-under-button-held = The debit is sent to your bank at { $until }. Until then you can stop it on the next page.
pay-under-button-some-held = A card is charged when you press the button. A debit is sent to your bank at { $until }; until then you can stop it on the next page.
time-on-day = { $time } on { $on }
receipt-email = E-mail for the receipt
your-reference = Your reference, optional (shows on the receipt)
paying = Paying…
pay-under-button = You type your card on { $processor }’s page and come back here. You have { $minutes } minutes. Nothing is taken before you press Pay there.
pay-under-button-bank = You give your bank account on { $processor }’s page and come back here. You have { $minutes } minutes. Nothing is taken before you agree there; then the debit is sent at once.
pay-under-button-any = You type your card or bank account on { $processor }’s page and come back here. You have { $minutes } minutes. Nothing is taken before you press Pay there.
continue-it = Continue it

# -- one payment, waiting or ended
payment-title = { $heading } – Invoice { $number }
waiting-heading = Waiting for an answer
waiting = We are waiting for an answer. You can close this page; we will e-mail you.
waiting-long = Still waiting. Do not pay again: { $number } shows { $amount } as in progress.
waiting-shows = { $number } shows { $amount } as in progress.
check-now = Check now
not-opened-heading = The card page did not open
not-opened = Your { $amount } for { $number } was not asked for anywhere. Try again, or cancel it and start again.
giving-up = { $amount } is free again as soon as the card page is closed, within minutes.
giving-up-waits = We are closing the card page.
someone-elses-heading = Somebody is paying this right now
notice-someone-elses-now = A card payment of { $amount } is being made right now. If it is not finished, the { $amount } is free again.
someone-elses-ended-heading = This payment was not finished
unfinished-heading = Not finished yet
unfinished = Your card payment of { $amount } is not finished.
no-money-taken = No money has been taken.
result-received = Payment received
result-part = { $amount } paid. <b>{ $left } is left on { $number }, due { $due }.</b>
result-part-overdue = { $amount } paid. <b>{ $left } is left on { $number }, due since { $due }.</b>
result-rest-on-its-way = { $amount } paid. The other { $more } of { $number } is being paid right now.
result-stays = It stays there until it is paid in full.
result-since = More happened since: { $now } is left on { $number } now.
result-since-full = More happened since: nothing is left on { $number } now.
result-other-currency = Your card was charged { $taken }, where { $amount } was asked for. { $number } is unchanged for now. Do not pay it again.
result-other-currency-ask = { $merchant } has to put this right: quote { $reference }.
result-full = { $amount } paid. Nothing is left on { $number }. Thank you.
result-declined = Your bank said no
result-three-ways = You can try again, use another way, or pay less.
result-two-ways = You can try again or use another way.
result-left-the-check = You left before it was paid
result-cancelled = You cancelled this payment
result-expired = You ran out of time
result-still-left = { $number } still shows { $left } left.
result-refused = We could not take this payment
result-ask = This is not about your bank. Ask { $merchant }: quote <span class="reference">{ $quote }</span>.
result-unknown = We do not know yet
debit-begun-heading = Payment started
debit-begun = { $amount } for { $number } is being taken from the account ending { $last4 }. It usually arrives by { $until }. We will e-mail you when it does.
debit-begun-open = { $amount } for { $number } is being taken from your bank account. We will e-mail you when it arrives.
debit-cannot-be-stopped = Your bank has it already, so it cannot be stopped here.
held-heading = Payment started
held = We will take { $amount } for { $number } from the account ending { $last4 } on { $on } at { $time }. It usually arrives by { $until }. We will e-mail you when it does.
stop-payment = Stop this payment (until { $time } { $day ->
    [today] today
   *[other] on { $on }
})
stop-too-late = It was too late to stop this payment: it went to your bank at { $time }.
stopped-heading = Payment stopped
stopped = We will not take the { $amount }.
challenge-heading = Your bank wants to check it is you
challenge = You will go to your bank’s page and come back here. { $amount } to { $merchant }.
challenge-continue = Continue to your bank
challenge-minutes = Your bank waits 10 minutes.
debit-failed-heading = Your bank did not pay
debit-failed-heading-other = The bank did not pay
charged-back-heading = The bank gave it back
charged-back = { $amount } was paid for { $number } by card and given back by the card’s bank.
charged-back-left = { $left } is left on { $number }.
charged-back-why = It was asked back at the card’s bank.
contested = The card’s bank is looking into this payment. Nothing has to be done here.
contested-part-back = { $part } of it was given back by the card’s bank.
taken-back-heading = Your bank took it back
taken-back-heading-other = The bank took it back
taken-back = { $amount } was paid and taken back. { $left } is left on { $number }.
your-agreement-then = What you agreed to
unfinished-bank = Your payment of { $amount } from a bank account is not finished.
not-opened-heading-bank = The bank page did not open
giving-up-bank = { $amount } is free again as soon as the bank page is closed, within minutes.
giving-up-waits-bank = We are closing the bank page.
pressed-twice = You pressed Pay twice. We only took it once.
decline-not-enough-money = There was not enough money available.
decline-card-expired = The card has expired.
decline-wrong-code = The security code did not match.
decline-over-limit = It is over the limit on this card. Pay part of it?
decline-over-limit-whole = It is over the limit on this card.
decline-not-confirmed = Your bank did not confirm it was you.
decline-left-the-check = You left before your bank finished.
decline-not-said = Your bank did not say why. Call the number on your card.
decline-network = The card network had a problem.
bank-return-not-enough-money = The bank said: there was not enough money in the account.
bank-return-account-closed = The bank said: the account is closed. Use another account.
bank-return-no-such-account = The bank found no such account. Check the number, or use another account.
bank-return-account-moved = The account is at another bank now. Use its new number.
bank-return-not-authorized = The bank said: this debit was not allowed. Agree again before the next one, or use another way.
bank-return-not-as-agreed = The bank said: this debit was not as agreed.
bank-return-stopped-by-payer = The payment was stopped at the bank.
bank-return-taken-back-by-payer = The money was asked back at the bank.
bank-return-frozen = The bank said: the account cannot be used at the moment. Ask the bank, or use another account.
bank-return-not-debitable = This account takes no debits. Use another account.
bank-return-bank-unable = The bank could not carry it. You can try again.
bank-return-our-side = It was sent back for a reason on our side, not yours. You can try again.
bank-return-no-reason = The bank did not say why. Ask your bank, or use another way.
try-again = Try again
another-way = Use another way
pay-less = Pay less
pay-the-rest = Pay the rest now
see-receipt = See the receipt
reference = Reference

# -- the receipt
receipt-title = Receipt { $reference } – { $amount }
receipt-heading = Paid to { $merchant }
received = Received
paid-by = Paid by
paid-to = Paid to
charged = Charged to your card
debited = Taken from your account
statement-line = Statement line
payer-reference = Your reference
applied-to = Applied to
receipt-settled = With this payment { $number } is paid in full.
all-payments = See all its payments
receipt-taken-back = The bank took this back on { $on }.
receipt-given-back = The card’s bank gave this back on { $on }.
receipt-balance = { $before } open before, { $after } after
kept-as-credit = Kept as credit for your next invoice
