//! Tests of the HTTP face, against a filled store.

mod bundles;
mod care;
mod garbage;
mod health;
mod histories;
mod links;
mod live;
mod people;
mod provenances;
mod reads;
mod searches;
mod stated;
mod world;
mod writes;
