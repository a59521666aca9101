//! The web from outside: a real server on loopback over a board that is filled by hand.

mod web {
    mod alarm_pages;
    mod api;
    mod client;
    mod docs;
    mod exposition;
    mod forms;
    mod live;
    mod pages;
    mod prometheus;
    mod queue;
    /// The scripted receiver of the unit tests.
    #[allow(dead_code)] // not every act is needed here
    #[path = "../../src/notify/fixture/receiver.rs"]
    mod receiver;
    mod server;
    mod shop;
    mod silences;
    mod world;
}
