/*
 * row.c
 *	  Table rows to Connect values.
 *
 * NOTES
 *	  A conversion is chosen once a column, by type.  The common types are read
 *	  straight from their Datums; of all others the output function's text is
 *	  taken, so that no column is ever left out.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/uuid.h"
#include "utils/varbit.h"

#include "record/numeric.h"
#include "record/row_column.h"

#define MAX_PRECISION_INT64 18

static void choose(ConnectRowColumn *column, Oid type, int32 typmod);
static void choose_numeric(ConnectRowColumn *column, int32 typmod);
static void choose_array(ConnectRowColumn *column, Oid element, int32 typmod);

ConnectRowPlan *
connect_row_plan_make(TupleDesc desc, const bool *optional, const char *name,
					  const ConnectRowOptions *options)
{
	ConnectRowPlan *plan = palloc0(sizeof(ConnectRowPlan));
	ConnectRowOptions *own = palloc(sizeof(ConnectRowOptions));
	bool		convert_encoding = GetDatabaseEncoding() != PG_UTF8 &&
		GetDatabaseEncoding() != PG_SQL_ASCII;

	*own = *options;
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
		{
			plan->ncells++;
			plan->maxattr = i + 1;
		}
	}
	plan->schema = connect_schema_make_struct(name, plan->ncells);
	plan->columns = palloc0(Max(plan->ncells, 1) * sizeof(ConnectRowColumn));

	for (int i = 0, n = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		ConnectRowColumn *column;

		if (att->attisdropped)
			continue;
		column = &plan->columns[n];
		column->attr = i;
		column->options = own;
		column->convert_encoding = convert_encoding;
		column->name = pstrdup(NameStr(att->attname));
		if (convert_encoding)
			column->name = pg_server_to_any(pstrdup(column->name),
											strlen(column->name), PG_UTF8);
		choose(column, att->atttypid, att->atttypmod);
		column->schema->optional = optional ? optional[i] : !att->attnotnull;
		connect_schema_set_field(plan->schema, n, column->name,
								 column->schema);
		n++;
	}
	return plan;
}

bool
connect_row_convert(const ConnectRowPlan *plan, const Datum *values,
					const bool *isnull, ConnectValue *cells,
					ConnectError *err)
{
	for (int i = 0; i < plan->ncells; i++)
	{
		const ConnectRowColumn *column = &plan->columns[i];

		if (isnull[column->attr])
			cells[i] = connect_value_null();
		else if (!column->convert(column, values[column->attr], &cells[i],
								  err))
			return false;
	}
	return true;
}

bool
connect_row_no_place(const ConnectRowColumn *column, ConnectError *err,
		 const char *what)
{
	return connect_error_set(err, CONNECT_DATA_EXCEPTION,
							 "Column \"%s\": %s", column->name, what);
}

void
connect_row_set_type(ConnectRowColumn *column, ConnectType type, ConnectRowConvert convert)
{
	column->schema = connect_schema_make(type);
	column->convert = convert;
}

void
connect_row_set_logical(ConnectRowColumn *column, ConnectLogical logical,
			ConnectRowConvert convert)
{
	column->schema = connect_schema_make_logical(logical, column->scale);
	column->convert = convert;
}

static bool
convert_int16(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT16, DatumGetInt16(value));
	return true;
}

static bool
convert_int32(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT32, DatumGetInt32(value));
	return true;
}

static bool
convert_int64(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT64, DatumGetInt64(value));
	return true;
}

static bool
convert_oid(const ConnectRowColumn *column, Datum value,
			ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT64, DatumGetObjectId(value));
	return true;
}

static bool
convert_float4(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_double(CONNECT_KIND_FLOAT32, DatumGetFloat4(value));
	return true;
}

static bool
convert_float8(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_double(CONNECT_KIND_FLOAT64, DatumGetFloat8(value));
	return true;
}

static bool
convert_bool(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_BOOLEAN, DatumGetBool(value));
	return true;
}

/* Text in the server's encoding. */
static void
set_text(const ConnectRowColumn *column, char *p, int len, ConnectKind kind,
		 ConnectValue *cell)
{
	if (unlikely(column->convert_encoding))
	{
		char	   *text = pnstrdup(p, len);

		p = pg_server_to_any(text, len, PG_UTF8);
		len = strlen(p);
	}
	*cell = connect_value_text(kind, p, len);
}

static bool
convert_text(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	set_text(column, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text),
			 CONNECT_KIND_STRING, cell);
	return true;
}

/* json is text already */
static bool
convert_json(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	convert_text(column, value, cell, err);
	if (column->options->plain)
		cell->kind = CONNECT_KIND_JSON_TEXT;
	return true;
}

static bool
convert_jsonb(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	Jsonb	   *jb = DatumGetJsonbP(value);
	StringInfoData text;

	initStringInfo(&text);
	JsonbToCString(&text, &jb->root, VARSIZE(jb));
	set_text(column, text.data, text.len, column->options->plain ?
			 CONNECT_KIND_JSON_TEXT : CONNECT_KIND_STRING, cell);
	return true;
}

static bool
convert_name(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	char	   *name = NameStr(*DatumGetName(value));

	set_text(column, name, strnlen(name, NAMEDATALEN), CONNECT_KIND_STRING,
			 cell);
	return true;
}

static bool
convert_bytea(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	*cell = connect_value_text(CONNECT_KIND_BYTES, VARDATA_ANY(bytes),
							   VARSIZE_ANY_EXHDR(bytes));
	return true;
}

static bool
convert_output(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	char	   *text = OutputFunctionCall(unconstify(FmgrInfo *,
													 &column->output), value);

	set_text(column, text, strlen(text), CONNECT_KIND_STRING, cell);
	return true;
}

static bool
convert_uuid(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	static const char hex[] = "0123456789abcdef";
	const pg_uuid_t *uuid = DatumGetUUIDP(value);
	char	   *text = palloc(36);
	char	   *p = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[uuid->data[i] >> 4];
		*p++ = hex[uuid->data[i] & 15];
	}
	*cell = connect_value_text(CONNECT_KIND_STRING, text, 36);
	return true;
}

static bool
convert_money(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	int			digits = PGLC_localeconv()->frac_digits;

	/* as cash.c: no sensible setting means two */
	if (digits < 0 || digits > 10)
		digits = 2;
	*cell = connect_value_double(CONNECT_KIND_FLOAT64,
								 (double) DatumGetInt64(value) /
								 pow(10, digits));
	return true;
}

/* bit(1) is a boolean, up to bit(8) a byte, more are bytes */
static bool
convert_bit(const ConnectRowColumn *column, Datum value,
			ConnectValue *cell, ConnectError *err)
{
	VarBit	   *bits = DatumGetVarBitP(value);

	if (column->schema->type == CONNECT_BOOLEAN)
		*cell = connect_value_int(CONNECT_KIND_BOOLEAN, *VARBITS(bits) != 0);
	else if (column->schema->type == CONNECT_INT8)
		*cell = connect_value_int(CONNECT_KIND_INT8,
								  (int8) (*VARBITS(bits) >>
										  (BITS_PER_BYTE - VARBITLEN(bits))));
	else
		*cell = connect_value_text(CONNECT_KIND_BYTES,
								   (char *) VARBITS(bits), VARBITBYTES(bits));
	return true;
}

/* A number that fits its field's scale; NaN and infinities have no decimal. */
static bool
convert_decimal(const ConnectRowColumn *column, Datum value,
				ConnectValue *cell, ConnectError *err)
{
	if (!connect_numeric_to_value(value, cell))
		return connect_row_no_place(column, err,
						"NaN and infinity have no place in a Decimal");
	if (likely(connect_decimal_scale(cell) == column->scale))
		return true;
	if (!connect_decimal_rescale(cell, column->scale, cell))
		return connect_row_no_place(column, err,
						psprintf("the value has more than %d digits after the point",
								 column->scale));
	return true;
}

static bool
convert_plain_numeric(const ConnectRowColumn *column, Datum value,
					  ConnectValue *cell, ConnectError *err)
{
	if (!connect_numeric_to_value(value, cell))
		*cell = connect_value_double(CONNECT_KIND_FLOAT64,
									 connect_numeric_special(value));
	return true;
}

/* Of an array's element, which has no schema to tell a decimal by. */
static bool
convert_numeric_text(const ConnectRowColumn *column, Datum value,
					 ConnectValue *cell, ConnectError *err)
{
	StringInfoData text;

	convert_plain_numeric(column, value, cell, err);
	if (cell->kind == CONNECT_KIND_FLOAT64)
		return true;
	initStringInfo(&text);
	connect_decimal_append_text(&text, cell);
	*cell = connect_value_text(CONNECT_KIND_NUMBER_TEXT, text.data, text.len);
	return true;
}

static bool
convert_numeric_double(const ConnectRowColumn *column, Datum value,
					   ConnectValue *cell, ConnectError *err)
{
	double		d;

	if (!connect_numeric_to_value(value, cell))
		d = connect_numeric_special(value);
	else
		d = connect_decimal_to_double(cell);
	*cell = connect_value_double(CONNECT_KIND_FLOAT64, d);
	return true;
}

static bool
convert_numeric_integer(const ConnectRowColumn *column, Datum value,
						ConnectValue *cell, ConnectError *err)
{
	int			bits = 8 << (column->schema->type - CONNECT_INT8);
	int64		limit = PG_INT64_MAX >> (64 - bits);

	if (!connect_numeric_to_value(value, cell) ||
		!connect_decimal_rescale(cell, 0, cell) ||
		cell->kind != CONNECT_KIND_DECIMAL ||
		cell->u.i > limit || cell->u.i < -limit - 1)
		return connect_row_no_place(column, err,
						psprintf("the value does not fit an %s",
								 connect_type_name(column->schema->type)));
	*cell = connect_value_int(CONNECT_KIND_INT8 +
							  (column->schema->type - CONNECT_INT8),
							  cell->u.i);
	return true;
}

/* One dimension of an array; *next is the element to take. */
static bool
convert_dimension(const ConnectRowColumn *column, int ndims, const int *dims,
				  const Datum *values, const bool *isnull, int *next,
				  ConnectValue *cell, ConnectError *err)
{
	int			n = ndims > 0 ? dims[0] : 0;
	ConnectValue *elems = palloc(Max(n, 1) * sizeof(ConnectValue));

	for (int i = 0; i < n; i++)
	{
		if (ndims > 1)
		{
			if (!convert_dimension(column, ndims - 1, dims + 1, values,
								   isnull, next, &elems[i], err))
				return false;
			continue;
		}
		if (isnull[*next])
			elems[i] = connect_value_null();
		else if (!column->element->convert(column->element, values[*next],
										   &elems[i], err))
			return false;
		(*next)++;
	}
	*cell = connect_value_elems(CONNECT_KIND_ARRAY, elems, n);
	return true;
}

static bool
convert_array(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *isnull;
	int			n;
	int			next = 0;

	if (ARR_NDIM(array) > 1 && column->schema->value_schema != NULL)
		return connect_row_no_place(column, err,
						"an array of more than one dimension has no place in an ARRAY of scalars");
	deconstruct_array(array, ARR_ELEMTYPE(array), column->typlen,
					  column->typbyval, column->typalign,
					  &values, &isnull, &n);
	return convert_dimension(column, ARR_NDIM(array), ARR_DIMS(array),
							 values, isnull, &next, cell, err);
}

static void
choose(ConnectRowColumn *column, Oid type, int32 typmod)
{
	bool		plain = column->options->plain;
	Oid			element;
	Oid			output;
	bool		varlena;

	type = getBaseTypeAndTypmod(type, &typmod);
	if (connect_row_choose_time(column, type))
		return;
	switch (type)
	{
		case INT2OID:
			connect_row_set_type(column, CONNECT_INT16, convert_int16);
			return;
		case INT4OID:
			connect_row_set_type(column, CONNECT_INT32, convert_int32);
			return;
		case INT8OID:
			connect_row_set_type(column, CONNECT_INT64, convert_int64);
			return;
		case OIDOID:
			connect_row_set_type(column, CONNECT_INT64, convert_oid);
			return;
		case FLOAT4OID:
			connect_row_set_type(column, CONNECT_FLOAT32, convert_float4);
			return;
		case FLOAT8OID:
			connect_row_set_type(column, CONNECT_FLOAT64, convert_float8);
			return;
		case BOOLOID:
			connect_row_set_type(column, CONNECT_BOOLEAN, convert_bool);
			return;
		case NUMERICOID:
			choose_numeric(column, typmod);
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case XMLOID:
			connect_row_set_type(column, CONNECT_STRING, convert_text);
			return;
		case NAMEOID:
			connect_row_set_type(column, CONNECT_STRING, convert_name);
			return;
		case JSONOID:
			connect_row_set_type(column, CONNECT_STRING, convert_json);
			return;
		case JSONBOID:
			connect_row_set_type(column, CONNECT_STRING, convert_jsonb);
			return;
		case BYTEAOID:
			connect_row_set_type(column, CONNECT_BYTES, convert_bytea);
			return;
		case UUIDOID:
			connect_row_set_type(column, CONNECT_STRING, convert_uuid);
			return;
		case CASHOID:
			if (plain)
				break;
			connect_row_set_type(column, CONNECT_FLOAT64, convert_money);
			return;
		case BITOID:
			if (plain || typmod <= 0)
				break;
			connect_row_set_type(column, typmod == 1 ? CONNECT_BOOLEAN :
					  typmod <= 8 ? CONNECT_INT8 : CONNECT_BYTES,
					  convert_bit);
			return;
		default:
			break;
	}
	element = get_base_element_type(type);
	if (OidIsValid(element))
	{
		choose_array(column, element, typmod);
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info(output, &column->output);
	connect_row_set_type(column, CONNECT_STRING, convert_output);
}

/* The smallest integer for that many digits. */
static ConnectType
integer_for(int digits)
{
	return digits > 9 ? CONNECT_INT64 : digits > 4 ? CONNECT_INT32 :
		digits > 2 ? CONNECT_INT16 : CONNECT_INT8;
}

/*
 * By numeric.mapping.  A numeric without precision may hold any number: it is
 * never an integer, unlike in the JDBC connectors, which lose what does not
 * fit.
 */
static void
choose_numeric(ConnectRowColumn *column, int32 typmod)
{
	const ConnectRowOptions *options = column->options;
	bool		constrained = typmod >= (int32) VARHDRSZ;
	int			precision = 0;
	int			scale = options->unconstrained_scale;
	bool		integer = false;
	bool		is_double = false;

	if (constrained)
	{
		/* as numeric.c packs it: the scale has 11 bits and a sign */
		precision = ((typmod - VARHDRSZ) >> 16) & 0xFFFF;
		scale = (((typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
	}
	column->scale = scale;
	if (options->plain)
	{
		connect_row_set_logical(column, CONNECT_LOGICAL_DECIMAL, convert_plain_numeric);
		return;
	}

	switch (options->numeric)
	{
		case CONNECT_NUMERIC_NONE:
			break;
		case CONNECT_NUMERIC_PRECISION_ONLY:
			integer = constrained && scale == 0 &&
				precision <= MAX_PRECISION_INT64;
			break;
		case CONNECT_NUMERIC_BEST_FIT:
		case CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE:
			integer = constrained && scale <= 0 &&
				precision - scale <= MAX_PRECISION_INT64;
			is_double = constrained ? scale > 0 &&
				(precision <= MAX_PRECISION_INT64 ||
				 options->numeric == CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE) :
				options->numeric == CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE;
			break;
	}
	if (integer)
		connect_row_set_type(column, integer_for(precision - scale),
				  convert_numeric_integer);
	else if (is_double)
		connect_row_set_type(column, CONNECT_FLOAT64, convert_numeric_double);
	else
	{
		connect_row_set_logical(column, CONNECT_LOGICAL_DECIMAL, convert_decimal);
		if (options->decimal_precision)
			connect_schema_add_parameter(column->schema,
										 "connect.decimal.precision",
										 psprintf("%d", precision));
	}
}

/*
 * Elements may be null always.  In plain mode they have no schema, so that
 * there may be arrays in arrays.
 */
static void
choose_array(ConnectRowColumn *column, Oid element, int32 typmod)
{
	ConnectRowColumn *elem = palloc0(sizeof(ConnectRowColumn));

	elem->name = column->name;
	elem->options = column->options;
	elem->convert_encoding = column->convert_encoding;
	choose(elem, element, typmod);
	elem->schema->optional = true;
	connect_row_set_type(column, CONNECT_ARRAY, convert_array);
	column->element = elem;
	if (!column->options->plain)
		column->schema->value_schema = elem->schema;
	else if (elem->convert == convert_plain_numeric)
		elem->convert = convert_numeric_text;
	get_typlenbyvalalign(element, &column->typlen, &column->typbyval,
						 &column->typalign);
}
