//! `ceilings serve FILE`: the server of A2 as a process of its own, as Paydown is one. It prints its address and serves
//! until it is killed. Anything else is a function of the library.
#![expect(clippy::print_stdout, reason = "it tells its address")]

use anyhow::{Result, bail};
use std::path::Path;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, file] = arguments.as_slice() else { bail!("usage: ceilings serve FILE") };
    if command != "serve" {
        bail!("usage: ceilings serve FILE");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    ceilings::server::serve(Path::new(file), listener).await
}
