//! Text into the words that are compared: lower case, without accents, stemmed, the little words left out; and which words
//! mean the same here. It knows the language and the field, never a page or a question.

use deunicode::deunicode;
use rust_stemmers::{Algorithm, Stemmer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Words that say nothing about what is asked: articles, pronouns, auxiliaries, and how people begin a question.
const LITTLE: &str = "a about actually after again all almost already also although always am an and any anybody anyhow anyone \
     anything anyway are as ask asked asking at away back be because been before being best bit both but by came can \
     cannot cant certain certainly come comes coming could couldnt did didnt do does doesnt doing done dont each \
     either else even ever every everybody everyone exactly explain far few find finds for forget forgot from gave \
     get gets getting give given gives go goes going gone good got had happen happened happening happens has hasnt \
     have havent having he hello help her here hers hi him his hope how however i id if ill im in instead into is \
     isnt it its itself ive just kind know known least let lets like likely ll look looked looking looks lot made \
     make makes making many matter may maybe me mean means meant might mine more most much must my myself need needed \
     needs neither never no nobody none nor not nothing now nowhere of off often ok okay on once one ones only onto \
     or other others otherwise our ours out over own particular per perhaps please possible possibly put quite rather \
     re really reason right s said same saw say says see seeing seem seems seen sees shall she should shouldnt show \
     showed shown shows since so some somebody somehow someone something sometimes somewhere soon still such suppose \
     sure t take taken takes tell tells than thanks that thats the their theirs them then there theres these they \
     theyre thing things think this those though through thus til till to together told too took truly under \
     unless until up upon us use used uses using usually ve very via wanna want wanted wants was wasnt way we well \
     went were werent what whats when where whether which while who whom whos whose why will wish with within without \
     wonder wont work works would wouldnt yes yet you youd youll your youre yours";

/// Words of everyday talk. Where no page has one, it says nothing about what is asked; a word that is not here and on no page
/// is what a question is about, and then no page answers it.
const EVERYDAY: &str = "able accident accidental accidentally according across act actual add advance advise affect afraid afternoon afterward afterwards \
     against age agree ahead allow allowed alone along aloud always amaze among amount angry announce annoy \
     anticipate apart apparently appear approach approximately april area argue arrange arrive assume attach attend \
     august automatic automatically available avoid await awake aware awful bad badly base basic basically bear beat \
     become begin behave believe beside better beyond big bigger bother bottom bound bright bring broad broken busy \
     call care careful carefully careless carry catch cause chance characteristic cheap chosen circumstance clearly \
     closely comfortable comment common compare comparison complain complained complains complete completely \
     concerned conclude condition confused consequence consider consist constant constantly contain continue \
     convenient cope correct correctly couple course crazy cross curious current currently daily dark date deal dear \
     december decide decision decrease deep definitely deliberately demand demanded depend describe deserve desire \
     detail detailed details determine develop die died differ difference different differently difficult direction \
     directly disappear disappoint discover discuss display distance divide doubt doubtful dozen draw dream drop \
     during early easiest easily easy effect effectively effort eight eighteen eighty eleven elsewhere embarrass \
     emphasise encounter encourage enjoy enough ensure entire entirely equal equally especially essential establish \
     estimate evening event eventually exact example exceed excellent except excess exclude excuse exist expect \
     expected explanation express extent extra extremely face fact factor fail fair false familiar fast faster fear \
     february feel feeling fifteen fifth fifty finally fine finger finish finished first fix focus follow following \
     force forced forever former forth fortnight fortunate forty forward fourteen fourth free frequency frequent \
     frequently fresh friday front full fully funny further future gain gather general generally gentle glad glance \
     goal gradually great grow guarantee guess habit handle hang happy hard hardly haste hat hate hear heavily height \
     hello hesitate hey hi hidden hide high hint hour hundred hurry idea ignore ill imagine immediate immediately \
     impact impossible impressed impression improve inch include increase indeed indicate individual inform \
     information initially inner inside insist instant instantly intend interest interested introduce investigate \
     involve issue january join judge july jump june justify kind lack large last lately later latest lay lead lean \
     learn least leave lift likely list listen literally little locate location long longer look love low lower \
     luckily lucky mad main mainly major manage manner march maybe meanwhile measure meet mention merely method \
     middle might mild min mind minor minute miss missing mistakenly mix moderate modern moment monday month monthly \
     morning mostly motion mouth move movement mystery narrow natural naturally near nearly necessarily necessary \
     neighbour neither nervous new next nice night nine nineteen ninety nobody noise normal normally notice notion \
     november number observe obtain obvious obviously occasion occasionally occur october odd offend offer often open \
     opinion opportunity opposite option order ordinary original originally otherwise outside overall overlook pace \
     pair particular past path patient people perfect perfectly perform period permanent permit permitted person \
     place plain plan play pleasant please pleased pleasure plenty practical precise precisely prefer preparation \
     prepare presence present presumably pretty prevent previous previously prior probably problem proceed process \
     promise prompt proper properly proud provide pull pure purpose push question quick quickly quietly raise \
     randomly range rapid rapidly rare rarely react ready realise realistic realize really reasonable reasonably \
     recent recently recognise recommend reduce refer reflect regard regarding regular regularly relate relation \
     relevant reliable rely remember repeat repeatedly require required respect respond responsible result reveal rid \
     rise role rough roughly round rule rush sad safe same satisfied satisfy saturday saw scare scope second seek \
     seldom selection sense sentence separate separately september sequence serious seriously set seven seventeen \
     seventy several shall shape sharp shift shock short shortcut shortly show shut sick side silent silly similar \
     simple simplify simply simultaneously single situation six sixteen sixty skip slow slowly small smaller smart \
     smooth solution solve someday soon sort sound spare special specific specify spend spoil spread stable stage \
     stand standard start state stay steady step story straight strange stranger strategy strength strict strictly \
     strong strongly struggle stuck stupid subject success successful sudden suddenly suffer suggest suit suitable \
     sunday supposed surely surface surprise surprised surround suspect swap sweet system talk task technical tell \
     temporary ten tend tense term terrible thank therefore thick thin thirteen thirty thorough thought thousand \
     thrice throughout thursday tight time times tiny tired today tomorrow tonight top totally tough toward treat \
     trick trip trouble true trust tuesday turn twelve twenty twice typical typically ultimate unable unclear \
     understand understood unexpected unexpectedly unfortunately unique unknown unlikely unpleasant unsafe unsure \
     upset urgent useful useless usual usually valuable vanish various vary version visible visit visitor voice walk \
     warn waste watch way weak wednesday week weekend weekly weird wherever whole wide wild willing wind wise wonder \
     worried worry worse worst worth year yearly years yesterday young zero";

/// Words whose forms a stemmer does not bring together, each with these forms; and numbers as they are spoken.
const FORMS: &[(&str, &str)] = &[
    ("pay", "transaction transactions paid pays paying payment payments payable toward towards"),
    ("part", "parts instalment instalments installment installments partly partially"),
    ("send", "sent sends sending"),
    ("lose", "lost loses"),
    ("small", "smaller smallest"),
    ("high", "higher highest"),
    ("new", "newer newest"),
    ("old", "older oldest"),
    ("choose", "chose chosen"),
    ("keep", "kept"),
    ("type", "typed typing"),
    ("withdraw", "withdrew withdrawn"),
    ("steal", "stole"),
    ("hold", "held holds"),
    ("begin", "began begun"),
    ("break", "broke broken"),
    ("know", "knew"),
    ("mail", "mails emails"),
    ("write", "wrote written"),
    ("buy", "bought"),
    ("2", "two"),
    ("3", "three"),
    ("4", "four"),
    ("5", "five"),
    ("6", "six"),
    ("10", "ten"),
    ("30", "thirty"),
    ("50", "fifty"),
    ("100", "hundred"),
];

/// Words that mean much the same in the field of paying invoices and of running a server, a row each.
const ALIKE: &[&str] = &[
    "pay settle remit clear",
    "invoice bill",
    "part partial portion fraction piece half quarter third split chunk",
    "full whole complete entire total",
    "amount sum figure value price",
    "left remain remainder rest outstanding balance owe unpaid leftover",
    "money fund cash",
    "receive arrive reach come",
    "card visa mastercard amex credit plastic",
    "merchant business company vendor seller supplier biller firm organisation",
    "customer client",
    "mail email inbox mailbox message letter",
    "send deliver dispatch",
    "code digit pin passcode otp",
    "try attempt",
    "password credential",
    "sign login logon log",
    "account register registration signup enrol",
    "link url",
    "receipt proof confirmation acknowledgement",
    "decline refuse reject deny fail unsuccessful",
    "fee surcharge charge cost extra",
    "charge take bill",
    "minimum small least lowest",
    "maximum largest highest most",
    "limit cap restrict",
    "decimal comma separator point cent",
    "currency dollar euro pound yen",
    "percent percentage",
    "progress pending processing ongoing underway",
    "cancel abort abandon undo withdraw void annul",
    "revoke withdraw invalidate",
    "end expire lapse",
    "colleague coworker teammate workmate partner",
    "person people human user visitor guest somebody staff",
    "twice double duplicate",
    "safe secure security trust protect",
    "fake phishing scam fraud suspicious",
    "privacy private personal data",
    "track cookie analytics advertise spy",
    "practice test trial sandbox pretend play",
    "real live genuine actual production",
    "demo example sample",
    "install setup deploy",
    "build compile",
    "program software binary executable",
    "server machine host computer",
    "start run launch boot begin",
    "setting config configure configuration option preference parameter",
    "logo icon",
    "colour color brand",
    "look appearance theme style design",
    "stripe processor gateway provider acquirer",
    "webhook callback notification hook",
    "import upload load ingest migrate",
    "csv spreadsheet excel file",
    "column header",
    "row line record",
    "backup copy snapshot dump",
    "restore recover recovery",
    "crash break die fail outage",
    "disk drive storage",
    "full exhausted",
    "check verify prove audit",
    "change alter modify edit adjust correct tamper manipulate differ",
    "book ledger accounting bookkeeping",
    "metric prometheus grafana monitor graph statistic dashboard",
    "proxy nginx caddy apache traefik",
    "https tls ssl certificate encrypt",
    "postgresql postgres database db sqlite",
    "several multiple many",
    "remind reminder dunning nag",
    "refund reimburse",
    "dispute chargeback",
    "lose misplace",
    "internet network wifi connection online offline",
    "browser tab window chrome firefox safari",
    "browser window page",
    "phone telephone call ring",
    "phone smartphone mobile laptop computer device tablet",
    "close shut quit exit leave",
    "page screen site website portal",
    "button press click tap",
    "type enter input fill",
    "field box form",
    "colleague people staff",
    "enough insufficient sufficient",
    "less reduce lower smaller decrease",
    "more increase higher bigger raise",
    "status state",
    "set decide determine",
    "finish complete done",
    "unknown stranger unfamiliar",
    "add attach append",
    "address ip",
    "stand show appear print",
    "fetch scrape read",
    "wrong incorrect mistake mistyped typo",
    "print paper pdf download",
    "save keep store retain remember",
    "reference order purchase note",
    "old earlier previous past last ago",
    "new fresh another",
    "wait delay",
    "choose select pick switch",
    "pass forward share",
    "allow permit accept enable",
    "forbid disallow prohibit prevent disable",
    "empty blank missing",
    "cheque check",
    "transfer wire",
    "key secret token",
    "late overdue",
    "due deadline",
    "replace swap exchange",
    "stolen theft thief",
    "pencil edit",
    "same identical simultaneous",
    "cost expensive cheap costly price",
    "long duration valid life lifetime",
    "colleague boss manager supervisor director secretary husband wife spouse friend team department",
    "information info data detail particular",
    "update upgrade version release patch",
    "folder directory disk path location",
    "date day month calendar",
    "health ready readiness probe liveness alive heartbeat ping uptime",
    "limit block ban lock lockout throttle restrict",
    "job task background queue",
    "log logging journal",
    "permission privilege scope right",
    "domain hostname host dns",
    "junk spam bulk trash",
    "tax vat gst",
    "discount rebate reduction",
    "law legal lawful illegal compliance regulation",
    "seal hash chain tamper",
    "server instance node replica",
    "schema migration",
    "charge deduct",
    "debit ach sepa",
    "verify check validate confirm",
    "picture image photo",
    "reply respond response",
    "read consult view",
    "keypad keyboard numeric",
    "script javascript",
    "company employer firm",
    "zone region country",
    "unpaid open owed due",
    "history timeline record",
    "trace history",
    "fast quick speed",
    "leftover crumb small tiny",
    "reserve hold block",
    "bounce return undelivered",
    "forward redirect",
    "worker process",
    "alarm alert warn notify",
    "hand manual manually",
    "retry again repeat",
    "secure https",
    "lifetime session",
    "terminal shell command",
    "argument flag option",
    "guide manual documentation",
    "environment env",
    "stop halt pause suspend",
];

/// A word as it is compared; `None` for one that says nothing.
fn word(word: &str) -> Option<String> {
    static FORMS_BY_WORD: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
        FORMS.iter().flat_map(|(word, forms)| forms.split(' ').map(move |form| (form, *word))).collect()
    });
    if little().contains(word) {
        return None;
    }
    Some(stem(FORMS_BY_WORD.get(word).unwrap_or(&word)))
}

/// What is left of a word without its ending.
fn stem(word: &str) -> String {
    static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));
    ENGLISH.stem(word).into_owned()
}

/// The words of a text that say something, stemmed, in order.
pub fn words(text: &str) -> Vec<String> {
    let plain = deunicode(text).to_lowercase().replace('\'', "");
    let found = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    found
        .filter(|word| word.len() > 1 || word.starts_with(|c: char| c.is_ascii_digit()))
        .filter_map(word)
        .collect()
}

/// How people ask for a part in little words alone.
const OF_A_PART: &[&str] = &[
    "only some",
    "just some",
    "some of it",
    "some of this",
    "some of that",
    "pay some",
    "a bit now",
    "a little now",
    "at once",
    "in one go",
];
/// Words for all of it, which beside a *not* mean a part.
const ALL_OF_IT: &[&str] = &["all", "everything", "whole", "full", "entire", "total"];
const NOT: &[&str] = &["not", "dont", "cant", "cannot", "without", "instead", "less"];

/// Words that a question means and does not say, stemmed: a part of an invoice, where somebody asks for *only some of it* or says
/// that they do *not* pay *everything*.
pub fn implied(text: &str) -> Vec<String> {
    let plain = deunicode(text).to_lowercase().replace('\'', "");
    let words: Vec<&str> =
        plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let spaced = format!(" {} ", words.join(" "));
    let says = |phrase: &&str| spaced.contains(&format!(" {phrase} "));
    let has = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let is_of_a_part = OF_A_PART.iter().any(says) || (has(NOT) && has(ALL_OF_IT));
    // Of paying alone: whoever cannot see all invoices asks for no part.
    let is_of_paying = words.iter().any(|said| word(said).is_some_and(|stemmed| stemmed == stem("pay")));
    if is_of_a_part && is_of_paying { vec![stem("part"), stem("invoice")] } else { Vec::new() }
}

/// Other words for a stemmed one, stemmed; none for most.
pub fn alike(stemmed: &str) -> impl Iterator<Item = &'static str> {
    static ALIKE_BY_STEM: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
        let mut by_stem: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in ALIKE {
            let row: BTreeSet<String> = row.split(' ').map(stem).collect();
            for word in &row {
                by_stem.entry(word.clone()).or_default().extend(row.iter().cloned());
            }
        }
        by_stem
    });
    ALIKE_BY_STEM.get(stemmed).into_iter().flatten().map(String::as_str)
}

/// True for a stemmed word of everyday talk.
pub fn is_everyday(stemmed: &str) -> bool {
    // A figure in a question is an example.
    if stemmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    static SET: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| EVERYDAY.split_whitespace().filter_map(word).collect());
    SET.contains(stemmed)
}

fn little() -> &'static BTreeSet<&'static str> {
    static SET: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| LITTLE.split_whitespace().collect());
    &SET
}
