//! Tests of the HTTP face, against a filled store.

mod bundles;
mod care;
mod care_loops;
mod chains;
mod conditions;
mod coverage;
mod garbage;
mod health;
mod histories;
mod links;
mod live;
mod matching;
mod naive;
mod people;
mod provenances;
mod reads;
mod results;
mod searches;
mod stated;
mod world;
mod writes;
