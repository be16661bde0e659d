//! The command line: what each command is called, which flags it takes, and how it ends. Commands read the store or call
//! an action; none of them decides anything about money.
//!
//! Clock, randomness, environment and output are handed in, so that a test runs a command as a person would.

mod anomalies;
mod ask;
mod books;
mod credit;
mod demo;
mod disputes;
mod doctor;
mod import;
mod invoices;
mod keys;
mod merchant_links;
mod methods;
mod offered_methods;
mod openapi;
mod payments;
mod payouts;
mod refunds;
mod resolve;
mod reverse;
mod rules;
mod serve;
mod setup;
mod unmatched;
mod world;

pub use ask::Terminal;
pub use world::{Exit, World};

use crate::config::Flags;
use crate::import::{DateOrder, Preset};
use anyhow::Result;
use billing::payment::Method;
use clap::{Args, Parser, Subcommand};
use methods::{CutOffCommand, MandateCommand, MethodCommand};
use payments::PaymentCommand;
use std::ffi::OsString;
use std::path::PathBuf;
use store::db::StoreError;
use world::Stop;

const AFTER_HELP: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 refused by a rule, \
6 unavailable, try again.\nSettings come from flags, PAYDOWN_* environment variables, paydown.toml in the data \
folder, in this order; `paydown config show --origin` tells which.";

/// Self-hosted invoice payments: your customers pay an invoice in parts, what is left stays on it
#[derive(Debug, Parser)]
#[command(name = "paydown", version, propagate_version = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Short name of the merchant; not needed where there is one
    #[arg(long, global = true, value_name = "SLUG")]
    merchant: Option<String>,
    #[command(flatten)]
    settings: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything with a sample business and practice money; nothing stays
    Demo(DemoArgs),
    /// Set up a data folder with its first merchant
    Init(Box<InitArgs>),
    /// Run the portal
    Serve,
    /// Run the practice processor on its own
    Sandbox(SandboxArgs),
    /// Invoices: list, show, send, void, links
    #[command(subcommand)]
    Invoice(InvoiceCommand),
    /// Payments: list, show, charge a saved method, call off, settle by hand
    #[command(subcommand)]
    Payment(PaymentCommand),
    /// What the processor sent to the bank: list and show
    #[command(subcommand)]
    Payout(payouts::PayoutCommand),
    /// Customers' credit: list, apply, move
    #[command(subcommand)]
    Credit(credit::CreditCommand),
    /// Credit notes: issue, list, show
    #[command(subcommand)]
    CreditNote(credit::CreditNoteCommand),
    /// Give up an invoice, or a part of it
    WriteOff(credit::WriteOffArgs),
    /// Payments that a bank took back after they had been spent
    #[command(subcommand)]
    ReturnedPayment(credit::ReturnedPaymentCommand),
    /// Money of which nobody knows yet whose it is: list, record, match
    #[command(subcommand)]
    Unmatched(unmatched::UnmatchedCommand),
    /// Card payments that are contested: list, show, answer, accept
    #[command(subcommand)]
    Dispute(disputes::DisputeCommand),
    /// Money that goes back: create, list, show, approve, refuse, paid, limit
    #[command(subcommand)]
    Refund(refunds::RefundCommand),
    /// Saved cards and accounts: list, remove
    #[command(subcommand)]
    Method(MethodCommand),
    /// What payers agreed to before an account is debited: list, show the proof, end
    #[command(subcommand)]
    Mandate(MandateCommand),
    /// What a person has to look at: list, show, close
    #[command(subcommand)]
    Anomaly(AnomalyCommand),
    /// Keys of programs that use the API: create, list, revoke
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Print the description of the API, OpenAPI 3.1
    Openapi,
    /// Bring in invoices of another program
    #[command(subcommand)]
    Import(ImportCommand),
    /// Whether parts may be paid, and from which amount
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What is passed on of what a payment costs, per method and customer
    #[command(subcommand)]
    Surcharge(rules::SurchargeCommand),
    /// Businesses that get paid
    #[command(subcommand)]
    Merchant(MerchantCommand),
    /// The connection to the payment processor
    #[command(subcommand)]
    Processor(ProcessorCommand),
    /// Prove that the books are right
    Verify(VerifyArgs),
    /// Show what waits and what a person has to look at
    Doctor,
    /// Settings and where they come from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The schema of the database
    #[command(subcommand)]
    Migrate(books::MigrateCommand),
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Keep the data in this folder; `paydown serve --data-dir DIR` goes on with it
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Port of the portal; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The same number gives the same sample data
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct InitArgs {
    #[command(flatten)]
    merchant: NewMerchantArgs,
    /// Ask nothing: what is not given is the default
    #[arg(long, short)]
    yes: bool,
    /// File with the processor's secret key (sk_… or rk_…), or - for standard input; practice money without it
    #[arg(long, value_name = "FILE")]
    processor_key_file: Option<PathBuf>,
    /// File with the secret of the webhook endpoint (whsec_…)
    #[arg(long, value_name = "FILE", requires = "processor_key_file")]
    webhook_secret_file: Option<PathBuf>,
    /// Address of a practice processor; Stripe itself without it
    #[arg(long, value_name = "URL", requires = "processor_key_file")]
    processor_address: Option<String>,
}

#[derive(Debug, Args)]
struct NewMerchantArgs {
    /// Name that customers know; asked for without it
    #[arg(long)]
    name: Option<String>,
    /// Short name in addresses [default: made from the name]
    #[arg(long)]
    slug: Option<String>,
    /// Postal address; \n separates its lines
    #[arg(long)]
    address: Option<String>,
    /// Where payers write for help; asked for without it
    #[arg(long, value_name = "EMAIL")]
    help_email: Option<String>,
    /// Where payers call for help
    #[arg(long, value_name = "NUMBER")]
    help_phone: Option<String>,
    /// Currency of invoices that name none [default: USD]
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Zone in which due dates are counted [default: Etc/UTC]
    #[arg(long, value_name = "NAME")]
    time_zone: Option<String>,
    /// Brand colour [default: #1f5eff]
    #[arg(long, value_name = "#RRGGBB")]
    brand_color: Option<String>,
    /// Logo, PNG or JPEG of at most 2 MiB
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Address that mail comes from [default: the help address]
    #[arg(long, value_name = "EMAIL")]
    sender: Option<String>,
    /// Text on the payer's card statement [default: made from the name]
    #[arg(long, value_name = "TEXT")]
    statement_line: Option<String>,
}

#[derive(Debug, Args)]
struct SandboxArgs {
    /// Port on this machine
    #[arg(long, default_value_t = 8082)]
    port: u16,
    /// The secret key it takes
    #[arg(long, default_value = "sk_test_practice")]
    key: String,
    /// Where it sends webhooks: …/hooks/stripe/SLUG
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook: Option<String>,
    /// What it signs webhooks with
    #[arg(long, value_name = "whsec_…")]
    webhook_secret: Option<String>,
    /// File that keeps its data [default: practice-processor.db in the data folder]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// What its ids follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum InvoiceCommand {
    /// List invoices in the order in which they were made
    List(ListArgs),
    /// Show an invoice
    Show {
        /// Number or id of the invoice
        number: String,
    },
    /// Mail an invoice to the contacts of its customer, each with a link
    Send {
        /// Number or id of the invoice
        number: String,
    },
    /// Cancel an invoice on which nothing was paid
    Void {
        /// Number or id of the invoice
        number: String,
    },
    /// Make a payment link, or take all of them back
    Link {
        /// Number or id of the invoice
        number: String,
        /// Take back every link of the invoice
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AnomalyCommand {
    /// List what is open, in the order in which it was found
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        page: ListArgs,
    },
    /// Show one, and what came of it
    Show {
        /// Id of the anomaly, ano_…
        id: String,
    },
    /// Say that it was seen to; the record stays
    Close {
        /// Id of the anomaly, ano_…
        id: String,
        /// What came of it
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Begin after this id, the last one of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Most rows
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Read invoices from a CSV file; the same file again changes nothing
    Invoices(ImportArgs),
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The file
    file: PathBuf,
    /// Whose column names it uses
    #[arg(long, value_enum)]
    preset: Preset,
    /// A column that is called otherwise, as in "Rechnung=number"; may be repeated
    #[arg(long, value_name = "COL=FIELD")]
    map: Vec<String>,
    /// Order of day and month, where a date could be read in two ways
    #[arg(long, value_enum)]
    dates: Option<DateOrder>,
    /// The mark before the cents, where an amount could be read in two ways
    #[arg(long, value_enum)]
    decimal: Option<DecimalMark>,
    /// Currency of rows that name none [default: the merchant's]
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// A name is one customer: another address under it becomes a contact of that customer, who sees all its invoices;
    /// without it, customers of one name are told apart by their e-mail
    #[arg(long)]
    namesakes_together: bool,
    /// Try everything, change nothing; on SQLite a running server cannot write meanwhile, seconds for ten thousand invoices
    #[arg(long)]
    dry_run: bool,
    /// Mail each new invoice
    #[arg(long, conflicts_with = "dry_run")]
    send: bool,
}

/// The mark before the cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DecimalMark {
    /// 1,250.00
    Point,
    /// 1.250,00
    Comma,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Show the rule of the merchant, a customer or an invoice
    Show(PolicyScope),
    /// Set it; what is not given stays
    Set {
        #[command(flatten)]
        scope: PolicyScope,
        /// Whether a part may be paid
        #[arg(long, value_enum)]
        partial: Option<PartialWord>,
        /// The least part: 25.00, "25.00 EUR", 10% or none
        #[arg(long)]
        minimum: Option<String>,
        /// When a payer by link first types a mailed code: never, always, or for more than 1000.00 or "1000.00 EUR"
        #[arg(long, value_name = "WHEN")]
        identify: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct PolicyScope {
    /// For a customer: its name, the address of a contact, or cus_…
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// For an invoice, by number or id
    #[arg(long, value_name = "NUMBER")]
    invoice: Option<String>,
}

/// Whether parts may be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PartialWord {
    /// Any part from the minimum on
    Always,
    /// Only all that is left
    Never,
}

#[derive(Debug, Subcommand)]
enum MerchantCommand {
    /// Add a merchant
    Create(Box<NewMerchantArgs>),
    /// List merchants
    List,
    /// Links at the foot of every page: to a review, to recommend, to terms and privacy
    #[command(subcommand)]
    Links(MerchantLinksCommand),
    /// By which methods payers may pay
    #[command(subcommand)]
    Methods(MethodsCommand),
    /// Until when on a day debits of saved accounts are held
    #[command(subcommand)]
    CutOff(CutOffCommand),
}

#[derive(Debug, Subcommand)]
enum MethodsCommand {
    /// Show which
    Show,
    /// Set them, all at once: card, us_bank_account, sepa_debit
    Set {
        /// The methods, with commas between or one after another
        #[arg(required = true, value_name = "METHOD", value_delimiter = ',', value_parser = offered_methods::method)]
        methods: Vec<Method>,
    },
}

#[derive(Debug, Subcommand)]
enum MerchantLinksCommand {
    /// Show what is set
    Show,
    /// Set them: an address that begins with https:// or http://, or none; what is not given stays
    Set {
        /// Where payers say how it was: "Review us"
        #[arg(long, value_name = "URL|none")]
        review: Option<String>,
        /// Where payers recommend you: "Refer a friend"
        #[arg(long, value_name = "URL|none")]
        refer: Option<String>,
        /// Your terms
        #[arg(long, value_name = "URL|none")]
        terms: Option<String>,
        /// What you do with personal data
        #[arg(long, value_name = "URL|none")]
        privacy: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ProcessorCommand {
    /// Connect a processor, or replace its keys
    #[command(subcommand)]
    Connect(ConnectCommand),
}

#[derive(Debug, Subcommand)]
enum ConnectCommand {
    /// Stripe, or the practice processor, which answers like it
    Stripe {
        /// File with the secret key, or - for standard input; asked for without it
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// File with the secret of the webhook endpoint; the one there is stays without it
        #[arg(long, value_name = "FILE")]
        webhook_secret_file: Option<PathBuf>,
        /// Address of a practice processor
        #[arg(long, value_name = "URL")]
        address: Option<String>,
    },
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Head of a chain kept elsewhere, as verify prints it: MERCHANT/CHAIN/NUMBER/HASH; may be repeated
    #[arg(long, value_name = "HEAD")]
    anchor: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting, secrets masked
    Show {
        /// Tell where each came from
        #[arg(long)]
        origin: bool,
    },
}

/// Runs one command line, the program's name first; answers how it ended.
pub async fn run(args: impl IntoIterator<Item = OsString>, mut world: World) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let told = if error.use_stderr() { &mut world.err } else { &mut world.out };
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return write!(told, "{}", error.render()).map_or(Exit::Failed, |()| exit);
        }
    };
    match dispatch(cli, &mut world).await {
        Ok(exit) => exit,
        Err(error) => {
            let told = writeln!(world.err, "error: {error:#}");
            told.map_or(Exit::Failed, |()| exit_of(&error))
        }
    }
}

async fn dispatch(cli: Cli, world: &mut World) -> Result<Exit> {
    let Cli { json, merchant, settings, command } = cli;
    let mut at = world::At { world, settings, merchant, json };
    match command {
        Command::Demo(args) => demo::demo(&mut at, args).await,
        Command::Sandbox(args) => demo::sandbox(&mut at, args).await,
        Command::Init(args) => setup::init(&mut at, *args).await,
        Command::Serve => serve::serve(&mut at).await,
        Command::Invoice(command) => invoices::run(&mut at, command).await,
        Command::Payment(command) => payments::run(&mut at, command).await,
        Command::Payout(command) => payouts::run(&mut at, command).await,
        Command::Credit(command) => credit::run(&mut at, command).await,
        Command::CreditNote(command) => credit::credit_note(&mut at, command).await,
        Command::WriteOff(args) => credit::write_off(&mut at, args).await,
        Command::ReturnedPayment(command) => credit::returned_payment(&mut at, command).await,
        Command::Unmatched(command) => unmatched::run(&mut at, command).await,
        Command::Dispute(command) => disputes::run(&mut at, command).await,
        Command::Refund(command) => refunds::run(&mut at, command).await,
        Command::Method(command) => methods::method(&mut at, command).await,
        Command::Mandate(command) => methods::mandate(&mut at, command).await,
        Command::Anomaly(command) => anomalies::run(&mut at, command).await,
        Command::Key(command) => keys::run(&mut at, command).await,
        Command::Openapi => openapi::print(&mut at),
        Command::Import(ImportCommand::Invoices(args)) => import::run(&mut at, args).await,
        Command::Policy(command) => rules::policy(&mut at, command).await,
        Command::Surcharge(command) => rules::surcharge(&mut at, command).await,
        Command::Merchant(command) => setup::merchant(&mut at, command).await,
        Command::Processor(ProcessorCommand::Connect(command)) => setup::connect(&mut at, command).await,
        Command::Doctor => doctor::doctor(&mut at).await,
        Command::Verify(args) => books::verify(&mut at, args).await,
        Command::Config(ConfigCommand::Show { origin }) => setup::config(&mut at, origin),
        Command::Migrate(command) => books::migrate(&mut at, command).await,
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.exit;
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Busy | StoreError::Unavailable(_) | StoreError::RolledBack(_)) => Exit::Unavailable,
        Some(StoreError::SecondServer(_)) => Exit::Conflict,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod help_pages;
#[cfg(test)]
mod tests;
