//! A model of any kind, for code that knows no family.

use std::ops::Deref;
use std::sync::Arc;

use super::generator::Generator;
use super::model::{Kind, Model};
use super::predictor::Predictor;
use super::separator::Separator;
use super::stream::StreamSource;
use crate::container::parity::Verification;
use crate::error::{Error, Result};

/// A model of any kind. What every [`Model`] says can be asked of it directly; to use it, match on its kind.
///
/// Cloning is cheap: the weights are shared.
///
/// # Example
/// ```no_run
/// use neurdsp_models::{AnyModel, load_any};
/// let model = load_any("model.safetensors")?;
/// println!("{} ({}): {} parameters", model.architecture(), model.kind(), model.n_parameters());
/// assert!(model.verify()?.passed());
/// if let AnyModel::Stream(model) = &model {
///     let mut stream = model.build_stream()?;
///     stream.process(&[0.0; 64], &mut [0.0; 64]);
/// }
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyModel {
    /// See [`StreamSource`].
    Stream(Arc<dyn StreamSource>),
    /// See [`Separator`].
    Separator(Arc<dyn Separator>),
    /// See [`Generator`].
    Generator(Arc<dyn Generator>),
    /// See [`Predictor`].
    Predictor(Arc<dyn Predictor>),
}

impl AnyModel {
    /// What the model does.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            AnyModel::Stream(_) => Kind::Stream,
            AnyModel::Separator(_) => Kind::Separator,
            AnyModel::Generator(_) => Kind::Generator,
            AnyModel::Predictor(_) => Kind::Predictor,
        }
    }

    /// Runs the model on its parity vectors, and measures how far it is from the outputs that the trained model gave.
    ///
    /// # Errors
    /// [`Error::MissingParity`] if the file carries none; vectors that do not fit the model, or a model that fails.
    pub fn verify(&self) -> Result<Verification> {
        let Some(parity) = self.parity() else {
            return Err(Error::MissingParity { name: "parity vectors".to_owned() });
        };
        match self {
            AnyModel::Stream(model) => model.prove(parity),
            AnyModel::Separator(model) => model.prove(parity),
            AnyModel::Generator(model) => model.prove(parity),
            AnyModel::Predictor(model) => model.prove(parity),
        }
    }
}

impl Deref for AnyModel {
    type Target = dyn Model;

    fn deref(&self) -> &(dyn Model + 'static) {
        match self {
            AnyModel::Stream(model) => model.as_ref(),
            AnyModel::Separator(model) => model.as_ref(),
            AnyModel::Generator(model) => model.as_ref(),
            AnyModel::Predictor(model) => model.as_ref(),
        }
    }
}
