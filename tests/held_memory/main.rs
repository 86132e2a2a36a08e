//! What a sender that nobody has authenticated can make a server hold, over real sockets, in bytes of resident
//! memory. `cargo test -p pierre-webhook-tests --test held_memory -- --nocapture` prints the table.
#![cfg(target_os = "linux")]

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
    // What a server allocates once is no part of what a connection holds.
    drop(http1::connections(child.address, 20, &http1::head(), usize::MAX));
    drop((0..4).map(|_| Frames::open(child.address)).collect::<Vec<_>>());
    child
}

fn of_http1(table: &mut Table) {
    use Mode::{LookUp, Verify};

    let mut row =
        |case: &str, mode, count, bound, bytes: &(dyn Fn(Framework) -> Vec<u8> + Sync)| {
            table.row(case, count, "connection", |framework| {
                let bytes = bytes(framework);
                let (growth, _held) = start(framework, mode)
                    .growth(|address| http1::connections(address, count, &bytes, 16 * KIB));
                Cell::new(growth / count, bound)
            });
        };
    row("HTTP/1, half a head", Verify, 400, 64 * KIB, &|_| http1::half_a_head());
    row("HTTP/1, the longest unfinished head", Verify, 40, MIB, &|framework| {
        http1::unfinished_head(http1::longest_head(framework))
    });
    row("HTTP/1, a head and no body", Verify, 400, 64 * KIB, &|_| http1::head());
    row("HTTP/1, a head, its look-up pending", LookUp, 400, 64 * KIB, &|_| http1::head());
    row("HTTP/1, a body of 1 MiB but for a byte", Verify, 24, 3 * MIB, &|_| {
        http1::all_but_a_byte()
    });
    row("HTTP/1, 16 Ki chunks of a byte", Verify, 24, 2 * MIB, &|_| {
        http1::chunks_of_a_byte(16 * KIB)
    });
    table.row("HTTP/1, a body of 1 MiB, its look-up pending", 24, "connection", |framework| {
        let (growth, _held) = start(framework, LookUp).growth(|address| http1::unread(address, 24));
        Cell::new(growth / 24, 512 * KIB)
    });
    table.row("HTTP/1, a rejected body that goes on", 8, "connection", |framework| {
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
        ("HTTP/2, a stream with a head alone", [0, 0], 32 * KIB),
        ("HTTP/2, a stream with a long head", [15 * KIB, MIB], 2 * MIB),
    ] {
        let most = if header[1] == 0 { 2000 } else { 32 };
        table.row(case, most, "stream", |framework| {
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
    table.row("HTTP/2, full windows, the look-up pending", 8, "connection", |framework| {
        let child = start(framework, LookUp);
        let (growth, (_held, window)) = child.growth(|address| http2::full_windows(address, 8));
        Cell::new(growth / 8, 4 * MIB).note(format!("window of {}", table::size(window)))
    });
    for (case, mode, length, bound) in [
        ("HTTP/2, empty frames of data while the body is read", Verify, 0, 64),
        ("HTTP/2, empty frames of data while the look-up is pending", LookUp, 0, KIB),
        ("HTTP/2, frames of a byte while the body is read", Verify, 1, 64),
        ("HTTP/2, frames of a byte while the look-up is pending", LookUp, 1, KIB),
    ] {
        table.row(case, FLOOD, "frame", |framework| {
            let child = start(framework, mode);
            let (growth, (_held, taken)) = child.growth(|address| {
                let mut frames = Frames::open(address);
                let taken = http2::flood(&mut frames, FLOOD, length);
                (frames, taken)
            });
            // Those of a byte are allowed as long as they are read.
            if framework == Axum && (length == 0 || mode == LookUp) {
                assert!(taken.is_err_and(|taken| taken < 10_000), "{case}: {taken:?}");
            }
            let note = match taken {
                Ok(()) => format!("all taken, {}", table::size(growth)),
                Err(taken) => format!("closed after {taken}, {}", table::size(growth)),
            };
            Cell::new(growth / FLOOD, bound).note(note)
        });
    }
    table.row("HTTP/2, the same again after actix's `timeout`", FLOOD, "frame", |framework| {
        if framework == Axum {
            return Cell::none();
        }
        let child = start(framework, LookUpInTime);
        let mut frames = Frames::open(child.address);
        let before = child.settled();
        let mut after = || {
            // The server may have answered while they came.
            let answers = frames.answers;
            http2::flood(&mut frames, FLOOD, 0).expect("an open connection");
            if frames.answers == answers {
                frames.answer().expect("an answer");
            }
            child.settled().saturating_sub(before)
        };
        let (first, second) = (after(), after());
        assert!(second < first + first / 4, "{second} after the second flood, {first} after one");
        let note =
            format!("{} after one flood, {} after two", table::size(first), table::size(second));
        Cell::new(second / FLOOD, KIB).note(note)
    });
}

fn of_kept_deliveries(table: &mut Table) {
    use Mode::{Keep, KeepDetached};

    const KEPT: usize = 3000;

    for (case, mode, has_own_connection, bound) in [
        ("kept delivery of 15 bytes, a connection each", Keep, true, 64 * KIB),
        ("the same, after `detach_body()`", KeepDetached, true, 4 * KIB),
        ("kept delivery of 15 bytes, one connection", Keep, false, 64 * KIB),
        ("the same, after `detach_body()`", KeepDetached, false, 4 * KIB),
    ] {
        table.row(case, KEPT, "delivery", |framework| {
            let child = start(framework, mode);
            // Its first deliveries warm it.
            http1::deliver(child.address, 100, has_own_connection);
            let (growth, ()) =
                child.growth(|address| http1::deliver(address, KEPT, has_own_connection));
            Cell::new(growth / KEPT, bound)
        });
    }
}
