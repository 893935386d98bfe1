//! `match activate`: compares a model with the one in use, and takes it into use.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::gateway::{configured_model, open_gateway, read_config};
use super::super::output::Output;
use super::super::review_names::decider;
use super::super::review_text::grade_word;
use super::super::{CliError, Common};
use crate::config::{Config, profile_text};
use crate::identity::Model;
use crate::pipeline::{Activated, Activation, ChangedLink, Gateway, ModelChange};

pub(super) const AFTER_HELP: &str = "\
Examples:
  careweave match activate site-model.json --dry-run
  careweave match activate site-model.json --note 'trained on November'
  careweave match activate --configured

The model is kept in the data directory and in force for every command until another one is
activated. --configured gives it up: identity.model, or the built-in model, is in force again.
Stewards' decisions stay.";

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ActivateArgs {
    /// The model file
    #[arg(value_name = "MODEL", required_unless_present = "configured")]
    model: Option<PathBuf>,
    /// Gives the activated model up for the configured one
    #[arg(long, conflicts_with = "model")]
    configured: bool,
    /// Says what would change, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// How many gained and lost links are listed
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=1000))]
    limit: u16,
    /// Why; kept with the activation
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
    /// Who decides; the user of the operating system if not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(super) fn run(args: &ActivateArgs, common: &Common, output: &Output) -> Result<(), CliError> {
    let by = decider(args.by.as_deref())?;
    let config = read_config(common)?;
    let (text, model) = match &args.model {
        Some(path) => {
            let text = profile_text(Some(path), "")?;
            let model = Model::parse(&text);
            let named = |e| CliError::Usage(format!("{}: {e}", path.display()));
            (Some(text), model.map_err(named)?)
        }
        None => (None, configured_model(&config)?),
    };
    let gateway = open_gateway(&config)?;
    let bar = output.bar("settle");
    gateway.settle_all(&mut |_, _| {})?;
    bar.finish_and_clear();
    let change = gateway.compare_model(&model, usize::from(args.limit))?;
    let told = Told { from: gateway.model().clone(), to: model, change };
    let activated = Activated::read(&config.data_dir)?;
    // The same content can still be pinned, or given back to the configuration.
    let changes =
        told.from.hash() != told.to.hash() || text.is_some() != activated.last().is_some();
    let switches = changes && !args.dry_run;
    if switches {
        let (at, note) = (Timestamp::now(), args.note.as_str().into());
        let (version, hash) = (told.to.version.clone(), hash_text(&told.to).into());
        let entry = Activation { at, by: by.as_str().into(), note, version, hash };
        switch(&config, gateway, (activated, text.as_deref(), entry), output)?;
    }
    if output.is_json() {
        return output.json(&told.json(switches));
    }
    told.print(output, args.dry_run, switches, &by)
}

/// Writes the choice, then settles everything anew with it.
fn switch(
    config: &Config,
    gateway: std::sync::Arc<Gateway>,
    (mut activated, text, entry): (Activated, Option<&str>, Activation),
    output: &Output,
) -> Result<(), CliError> {
    activated.put(&config.data_dir, text, entry)?;
    // The store is one gateway's at a time. The next one finds views of another model than its
    // own and marks them all; one that is killed here goes on at the next command.
    drop(gateway);
    let gateway = open_gateway(config)?;
    let bar = output.bar("settle");
    gateway.settle_all(&mut |done, left| {
        bar.set_length((done + left) as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    Ok(())
}

struct Told {
    from: Model,
    to: Model,
    change: ModelChange,
}

impl Told {
    fn json(&self, activated: bool) -> Value {
        let link = |link: &ChangedLink| {
            json!({
                "a": link.a.to_string(), "b": link.b.to_string(),
                "weight_bits": link.weight_bits.map(|[now, then]| json!([now, then])),
                "grade": link.grade.map(|grades| grades.map(grade_word)),
            })
        };
        let change = &self.change;
        json!({
            "in_use": model_json(&self.from), "model": model_json(&self.to),
            "activated": activated, "charts": change.charts,
            "persons": {"now": change.persons[0], "then": change.persons[1]},
            "links": {
                "now": change.links[0], "then": change.links[1],
                "gained": change.gained, "lost": change.lost,
                "gained_first": change.gained_first.iter().map(link).collect::<Vec<_>>(),
                "lost_first": change.lost_first.iter().map(link).collect::<Vec<_>>(),
            },
            "queued": {"now": change.queued[0], "then": change.queued[1]},
        })
    }

    fn print(
        &self,
        output: &Output,
        dry_run: bool,
        activated: bool,
        by: &str,
    ) -> Result<(), CliError> {
        let change = &self.change;
        output.line(&format!("in use     {}", model_text(&self.from)))?;
        output.line(&format!("compared   {}", model_text(&self.to)))?;
        output.line(&format!(
            "of {} charts: {} links would be gained, {} lost; {} persons become {}; {} pairs for \
             review become {}",
            change.charts,
            change.gained,
            change.lost,
            change.persons[0],
            change.persons[1],
            change.queued[0],
            change.queued[1]
        ))?;
        let lists = [
            ("gained", &change.gained_first, change.gained),
            ("lost", &change.lost_first, change.lost),
        ];
        for (word, links, all) in lists {
            for link in links {
                output.line(&format!("  {word:6} {}", link_text(link)))?;
            }
            let more = all.saturating_sub(links.len() as u64);
            if more > 0 {
                output.line(&format!("  {word:6} {more} more"))?;
            }
        }
        match (activated, dry_run) {
            (true, _) => {
                output.line(&format!("activated {} by {by}; all is settled", self.to.version))
            }
            (false, true) => output.line("nothing was changed (--dry-run)"),
            (false, false) => output.line("it is in use already; nothing was changed"),
        }
    }
}

fn link_text(link: &ChangedLink) -> String {
    let how = match (link.weight_bits, link.grade) {
        (Some([now, then]), Some(grades)) => {
            let [was, is] = grades.map(grade_word);
            format!("  {now:+.1} bits {was} → {then:+.1} bits {is}")
        }
        _ => String::new(),
    };
    format!("{} and {}{how}", link.a, link.b)
}

fn model_text(model: &Model) -> String {
    let learned = model.training().map_or_else(
        || "set by hand".to_owned(),
        |t| format!("learned from {} records, data {}", t.records, t.data_fingerprint),
    );
    format!("{} ({learned}; hash {})", model.version, hash_text(model))
}

/// The beginning of a model's hash, as people compare it.
fn hash_text(model: &Model) -> String {
    format!("{:016x}", model.hash().0 >> 64)
}

fn model_json(model: &Model) -> Value {
    json!({
        "version": model.version, "hash": hash_text(model),
        "training": model.training(),
    })
}
