//! Values of the host to values of the engine, and back.

use rquickjs::{Array, ArrayBuffer, Ctx, Error, Exception, Object, Result, TypedArray, Value};

use super::memory::Usage;
use super::raw;
use crate::script::value::{Failure, Thrown, Value as Plain};

/// How deep lists go. What is deeper reads as undefined.
const DEPTH_MAX: u32 = 16;

/// From this length on, bytes are handed over as they are; fewer are copied in less time than the
/// system takes to give and take back memory of their own.
const LENT_MIN: usize = 64 << 10;

pub(super) fn to_engine<'js>(ctx: &Ctx<'js>, value: Plain, usage: &Usage) -> Result<Value<'js>> {
    Ok(match value {
        Plain::Undefined => Value::new_undefined(ctx.clone()),
        Plain::Null => Value::new_null(ctx.clone()),
        Plain::Bool(truth) => Value::new_bool(ctx.clone(), truth),
        Plain::Number(number) => Value::new_number(ctx.clone(), number),
        Plain::Text(text) => rquickjs::String::from_str(ctx.clone(), &text)?.into_value(),
        Plain::Bytes(bytes) if bytes.len() < LENT_MIN => {
            TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value()
        }
        Plain::Bytes(bytes) => {
            let bytes = usage.lend(bytes).ok_or(Error::Allocation)?;
            let buffer = ArrayBuffer::from_source(ctx.clone(), bytes)?;
            TypedArray::<u8>::from_arraybuffer(buffer)?.into_value()
        }
        Plain::List(list) => {
            let array = Array::new(ctx.clone())?;
            for (index, value) in list.into_iter().enumerate() {
                array.set(index, to_engine(ctx, value, usage)?)?;
            }
            array.into_value()
        }
        Plain::Error(failure) => error(ctx, *failure, usage)?.into_value(),
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
fn error<'js>(ctx: &Ctx<'js>, failure: Failure, usage: &Usage) -> Result<Object<'js>> {
    let constructor: rquickjs::Function<'js> = ctx.globals().get("Error")?;
    let constructor = constructor.as_constructor().cloned().ok_or(Error::Unknown)?;
    let error: Object<'js> = constructor.construct((failure.message.as_str(),))?;
    for (name, value) in failure.properties {
        error.set(name, to_engine(ctx, value, usage)?)?;
    }
    Ok(error)
}

/// Throws what a native function throws.
pub(super) fn throw(ctx: &Ctx<'_>, thrown: Thrown, usage: &Usage) -> Error {
    let made = match thrown {
        Thrown::Error(failure) => error(ctx, *failure, usage).map(Object::into_value),
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
