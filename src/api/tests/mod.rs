//! Tests of the HTTP face, against a filled store.

mod garbage;
mod links;
mod people;
mod provenances;
mod reads;
mod searches;
mod world;
