//! Values of the host to values of the engine, and back.

use rquickjs::{Array, Ctx, Error, Exception, Object, Result, TypedArray, Value};

use super::raw;
use crate::script::value::{Failure, Thrown, Value as Plain};

/// How deep lists go. What is deeper reads as undefined.
const DEPTH_MAX: u32 = 16;

pub(super) fn to_engine<'js>(ctx: &Ctx<'js>, value: &Plain) -> Result<Value<'js>> {
    Ok(match value {
        Plain::Undefined => Value::new_undefined(ctx.clone()),
        Plain::Null => Value::new_null(ctx.clone()),
        Plain::Bool(truth) => Value::new_bool(ctx.clone(), *truth),
        Plain::Number(number) => Value::new_number(ctx.clone(), *number),
        Plain::Text(text) => rquickjs::String::from_str(ctx.clone(), text)?.into_value(),
        Plain::Bytes(bytes) => TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value(),
        Plain::List(list) => {
            let array = Array::new(ctx.clone())?;
            for (index, value) in list.iter().enumerate() {
                array.set(index, to_engine(ctx, value)?)?;
            }
            array.into_value()
        }
        Plain::Error(failure) => error(ctx, failure)?.into_value(),
    })
}

/// A value of the engine as the host knows it. Functions, symbols and objects are undefined.
pub(super) fn from_engine(value: &Value<'_>, depth: u32) -> Plain {
    if let Some(number) = value.as_number() {
        return Plain::Number(number);
    }
    if let Some(truth) = value.as_bool() {
        return Plain::Bool(truth);
    }
    if let Some(text) = value.as_string() {
        // A lone surrogate has no place in UTF-8: it is replaced, as Node does.
        let text = text.to_string().or_else(|_| raw::text_lossy(text));
        return text.map_or(Plain::Undefined, Plain::Text);
    }
    if value.is_null() {
        return Plain::Null;
    }
    if let Some(array) = value.as_array() {
        if depth == DEPTH_MAX {
            return Plain::Undefined;
        }
        let values = array.iter::<Value<'_>>().flatten();
        return Plain::List(values.map(|value| from_engine(&value, depth + 1)).collect());
    }
    raw::bytes(value).map_or(Plain::Undefined, Plain::Bytes)
}

/// An error object.
pub(super) fn error<'js>(ctx: &Ctx<'js>, failure: &Failure) -> Result<Object<'js>> {
    let constructor: rquickjs::Function<'js> = ctx.globals().get("Error")?;
    let constructor = constructor.as_constructor().cloned().ok_or(Error::Unknown)?;
    let error: Object<'js> = constructor.construct((failure.message.as_str(),))?;
    for (name, value) in &failure.properties {
        error.set(*name, to_engine(ctx, value)?)?;
    }
    Ok(error)
}

/// Throws what a native function throws.
pub(super) fn throw(ctx: &Ctx<'_>, thrown: &Thrown) -> Error {
    let made = match thrown {
        Thrown::Error(failure) => error(ctx, failure).map(Object::into_value),
        Thrown::Halt => halt(ctx),
    };
    match made {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// An error that ends JavaScript.
fn halt<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let error = Exception::from_message(ctx.clone(), "halted")?.into_value();
    raw::make_uncatchable(ctx, &error);
    Ok(error)
}
