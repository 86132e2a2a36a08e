//! What a connection of HTTP/2 holds.

use std::net::SocketAddr;

use crate::frames::{Closed, FRAME, Frames};

/// Opens streams with a head alone, until one is refused or there are that many: how many are open.
pub(crate) fn streams(frames: &mut Frames, most: usize, header: usize) -> usize {
    for open in 0..most {
        // A refusal is seen only now and then.
        if open % 50 == 0 {
            frames.settle().expect("an open connection");
        }
        if frames.resets > 0 {
            return open - frames.resets;
        }
        frames.start(header).expect("an open connection");
    }
    frames.settle().expect("an open connection");
    most - frames.resets
}

/// Connections whose window is full of data that the server has not taken.
pub(crate) fn full_windows(address: SocketAddr, count: usize) -> (Vec<Frames>, usize) {
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut frames = Frames::open(address);
        let mut room = frames.windows.0;
        while room > 0 {
            let stream = frames.start(0).expect("an open connection");
            let mut of_stream = room.min(frames.windows.1);
            room -= of_stream;
            while of_stream > 0 {
                let length = of_stream.min(FRAME);
                frames.send(stream, 1, length).expect("an open connection");
                of_stream -= length;
            }
        }
        // A reset may come after the first answer.
        for _ in 0..2 {
            frames.settle().expect("an open connection");
        }
        assert_eq!(frames.resets, 0, "the windows are kept to");
        connections.push(frames);
    }
    let window = connections[0].windows.0;
    (connections, window)
}

/// Sends that many frames of data of this length on one stream: how many the server took before it closed.
pub(crate) fn flood(frames: &mut Frames, count: usize, length: usize) -> Result<(), usize> {
    const AT_ONCE: usize = 50;
    let sent = |frames: &mut Frames, sent: &mut usize| -> Result<(), Closed> {
        let stream = frames.start(0)?;
        while *sent < count {
            frames.send(stream, AT_ONCE, length)?;
            frames.settle()?;
            *sent += AT_ONCE;
        }
        Ok(())
    };
    let mut taken = 0;
    sent(frames, &mut taken).map_err(|Closed| taken)
}
