//! Sends every delivery to both servers, and prints the results.

use std::{
    error::Error,
    fmt::Write as _,
    io::{self, Write as _},
};

use crate::{
    client,
    deliveries::{self, Delivery},
    inbox,
    outcome::Outcome,
    servers::Server,
};

/// Returns true if every result is as expected.
pub(crate) async fn run() -> Result<bool, Box<dyn Error>> {
    let axum = Server::axum(deliveries::verifier()?).await?;
    let actix = Server::actix(deliveries::verifier()?).await?;

    let mut page = format!(
        "An axum server listens on http://{}/webhooks, an actix server on http://{}/webhooks.\n\n",
        axum.address, actix.address
    );
    writeln!(page, "{:<39}AXUM  ACTIX  OUTCOME", "SENT TO BOTH")?;

    let mut differences = Vec::new();
    let deliveries = deliveries::all()?;
    for delivery in &deliveries {
        let by_axum = outcome(&axum, delivery).await?;
        let by_actix = outcome(&actix, delivery).await?;
        write!(page, "{:<39}{:>4}  {:>5}  ", delivery.name, by_axum.status, by_actix.status)?;
        if by_axum == by_actix {
            writeln!(page, "{by_axum}")?;
        } else {
            writeln!(page, "axum: {by_axum}; actix: {by_actix}")?;
        }
        for (server, outcome) in [(&axum, by_axum), (&actix, by_actix)] {
            if outcome != delivery.expected {
                differences.push(format!(
                    "{}, {}:\n  expected {} {}\n  but got  {} {outcome}",
                    server.name,
                    delivery.name,
                    delivery.expected.status,
                    delivery.expected,
                    outcome.status,
                ));
            }
        }
    }
    axum.end().await?;
    actix.end().await?;

    let stored = inbox::run(&mut page, &deliveries[..2]).await?;
    let responses = 2 * deliveries.len() + stored.responses;
    differences.extend(stored.differences);
    if differences.is_empty() {
        write!(
            page,
            "\nAll {responses} responses are as expected, and no handler ran for a rejected delivery.\n\
             Next: cargo run --bin quickstart -- --listen 127.0.0.1:8787\n"
        )?;
    } else {
        writeln!(page, "\n{} of {responses} responses are not as expected:", differences.len())?;
        for difference in &differences {
            writeln!(page, "{difference}")?;
        }
    }
    io::stdout().write_all(page.as_bytes())?;
    Ok(differences.is_empty())
}

async fn outcome(server: &Server, delivery: &Delivery) -> Result<Outcome, Box<dyn Error>> {
    let (status, reason) = client::send(server.address, delivery).await.map_err(|error| {
        format!("no response from {} to {}: {error}", server.name, delivery.name)
    })?;
    Ok(Outcome { status, seen: server.seen.take(), reason })
}
