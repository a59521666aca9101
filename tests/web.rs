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
    mod queue;
    mod server;
    mod shop;
    mod silences;
    mod world;
}
