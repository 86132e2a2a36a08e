//! How much memory an unauthenticated sender can make a server hold: the growth of its resident memory, divided by
//! the number of connections, streams or deliveries. `cargo test -p pierre-webhook-tests --test held_memory -- --nocapture` prints the table.

mod child;
mod frames;
mod http1;
mod http2;
mod table;

use child::{Child, Framework, Mode, serve_if_told};
use frames::Frames;
use table::{Cell, KIB, MIB, Table};

const THIS_TEST: &str = "what_is_held_before_a_delivery_is_authenticated_is_bounded";

#[test]
fn what_is_held_before_a_delivery_is_authenticated_is_bounded() {
    serve_if_told();
    if !std::path::Path::new("/proc/self/status").exists() {
        println!("skipped: there is no /proc");
        return;
    }
    let mut table = Table::default();
    of_http1(&mut table);
    of_http2(&mut table);
    of_kept_deliveries(&mut table);
    println!("{table}");
    table.assert_bounds();
}

fn start(framework: Framework, mode: Mode) -> Child {
    let child = Child::start(THIS_TEST, framework, mode);
    // What a server allocates once doesn't count.
    drop(http1::connections(child.address, 20, &http1::head(), usize::MAX));
    drop((0..4).map(|_| Frames::open(child.address)).collect::<Vec<_>>());
    child
}

fn of_http1(table: &mut Table) {
    use Mode::{LookUp, Verify};

    let mut row =
        |case: &str, mode, count, bound, bytes: &(dyn Fn(Framework) -> Vec<u8> + Sync)| {
            table.row(case, &format!("{count} connections"), |framework| {
                let bytes = bytes(framework);
                let (growth, _held) = start(framework, mode)
                    .growth(|address| http1::connections(address, count, &bytes, 16 * KIB));
                Cell::new(growth / count, bound)
            });
        };
    row("HTTP/1: half a head", Verify, 400, 64 * KIB, &|_| http1::half_a_head());
    row("HTTP/1: longest unfinished head", Verify, 40, MIB, &|framework| {
        http1::unfinished_head(http1::longest_head(framework))
    });
    row("HTTP/1: head, no body", Verify, 400, 64 * KIB, &|_| http1::head());
    row("HTTP/1: head, lookup pending", LookUp, 400, 64 * KIB, &|_| http1::head());
    row("HTTP/1: 1 MiB body, all but its last byte", Verify, 24, 3 * MIB, &|_| {
        http1::all_but_a_byte()
    });
    row("HTTP/1: 16,384 chunks of 1 byte", Verify, 24, 2 * MIB, &|_| {
        http1::chunks_of_a_byte(16 * KIB)
    });
    table.row("HTTP/1: 1 MiB body, lookup pending", "24 connections", |framework| {
        let (growth, _held) = start(framework, LookUp).growth(|address| http1::unread(address, 24));
        Cell::new(growth / 24, 512 * KIB)
    });
    table.row("HTTP/1: rejected body, sender goes on", "8 connections", |framework| {
        let (growth, sent, time) = http1::rejected(&start(framework, Verify), 8);
        let note =
            format!("closed in {:.1} s, after {}", time.as_secs_f64(), table::size(sent / 8));
        Cell::new(growth / 8, MIB).note(note)
    });
}

fn of_http2(table: &mut Table) {
    use Framework::{Actix, Axum};
    use Mode::{LookUp, LookUpInTime, Verify};

    const FLOOD: usize = 100_000;

    for (case, header, bound) in [
        ("HTTP/2: head, lookup pending", [0, 0], 32 * KIB),
        ("HTTP/2: long head, lookup pending", [15 * KIB, MIB], 2 * MIB),
    ] {
        let most = if header[1] == 0 { 2000 } else { 32 };
        table.row(case, &format!("up to {most} streams"), |framework| {
            let header = header[usize::from(framework == Actix)];
            let child = start(framework, LookUp);
            let (growth, (frames, open)) = child.growth(|address| {
                let mut frames = Frames::open(address);
                let open = http2::streams(&mut frames, most, header);
                (frames, open)
            });
            let announced = frames.streams.map_or("no limit".to_owned(), |most| most.to_string());
            let note =
                format!("{open} open, {announced} announced, head of {}", table::size(header));
            Cell::new(growth / open, bound).note(note)
        });
    }
    table.row("HTTP/2: window full and unread, lookup pending", "8 connections", |framework| {
        let child = start(framework, LookUp);
        let (growth, (_held, window)) = child.growth(|address| http2::full_windows(address, 8));
        assert!(growth / 8 > window / 2, "what the server holds is seen");
        Cell::new(growth / 8, 4 * MIB).note(format!("window of {}", table::size(window)))
    });
    // Over actix all frames are kept until the lookup ends: 400 bytes each are more than that takes.
    const ALL_KEPT: usize = 400 * FLOOD;
    for (case, mode, length, bounds) in [
        ("HTTP/2: empty DATA frames, body being read", Verify, 0, [2 * MIB, 8 * MIB]),
        ("HTTP/2: empty DATA frames, lookup pending", LookUp, 0, [2 * MIB, ALL_KEPT]),
        ("HTTP/2: DATA frames of 1 byte, body being read", Verify, 1, [8 * MIB, 8 * MIB]),
        ("HTTP/2: DATA frames of 1 byte, lookup pending", LookUp, 1, [8 * MIB, ALL_KEPT]),
    ] {
        table.row(case, "1 connection", |framework| {
            let child = start(framework, mode);
            let (growth, (_held, taken)) = child.growth(|address| {
                let mut frames = Frames::open(address);
                let taken = http2::flood(&mut frames, FLOOD, length);
                (frames, taken)
            });
            // h2 0.4 counts all empty frames, and the small ones that wait to be read.
            if framework == Axum && (length == 0 || mode == LookUp) {
                assert!(taken.is_err_and(|taken| taken < 10_000), "{case}: {taken:?}");
            }
            let note = match taken {
                Ok(()) => format!("{FLOOD} frames taken, {} B each", growth / FLOOD),
                Err(taken) => format!("closed after {taken} frames"),
            };
            Cell::new(growth, bounds[usize::from(framework == Actix)]).note(note)
        });
    }
    let case = "HTTP/2: empty DATA frames, lookup pending until actix's `timeout`, twice";
    table.row(case, "1 connection", |framework| {
        if framework == Axum {
            return Cell::none();
        }
        let child = start(framework, LookUpInTime);
        let mut frames = Frames::open(child.address);
        let before = child.settled();
        let mut flood = || {
            // The answer may come during the flood.
            let answers = frames.answers;
            http2::flood(&mut frames, FLOOD, 0).expect("an open connection");
            if frames.answers == answers {
                frames.answer().expect("an answer");
            }
            child.settled().saturating_sub(before)
        };
        let (first, second) = (flood(), flood());
        assert!(second < first + first / 4, "{first} after one flood, {second} after two");
        Cell::new(second, ALL_KEPT).note(format!("{} after the first", table::size(first)))
    });
}

fn of_kept_deliveries(table: &mut Table) {
    use Mode::{Keep, KeepDetached};

    const KEPT: usize = 3000;

    for (case, mode, has_own_connection, bound) in [
        ("HTTP/1: kept delivery of 15 bytes, one connection each", Keep, true, 64 * KIB),
        (
            "HTTP/1: the same after `detach_body()`, one connection each",
            KeepDetached,
            true,
            4 * KIB,
        ),
        ("HTTP/1: kept delivery of 15 bytes, one connection for all", Keep, false, 64 * KIB),
        (
            "HTTP/1: the same after `detach_body()`, one connection for all",
            KeepDetached,
            false,
            4 * KIB,
        ),
    ] {
        table.row(case, &format!("{KEPT} deliveries"), |framework| {
            let child = start(framework, mode);
            // Its first deliveries warm it.
            http1::deliver(child.address, 100, has_own_connection);
            let (growth, ()) =
                child.growth(|address| http1::deliver(address, KEPT, has_own_connection));
            Cell::new(growth / KEPT, bound)
        });
    }
}
