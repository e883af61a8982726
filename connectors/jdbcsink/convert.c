/*
 * convert.c
 *	  Events become rows, by their shapes.
 *
 * NOTES
 *	  Task process.  Columns get their values from the struct, the key, the
 *	  headers and the record's place, or from the members of an object without
 *	  schema: most often from the message's bytes without a tree in between.
 */
#include "postgres.h"

#include "convert/json_write.h"
#include "jdbcsink/jdbcsink.h"

static bool convert_raw(JdbcSink *sink, const JdbcEvent *event, JdbcRow *row,
						ConnectError *err);
static bool convert_map(JdbcSink *sink, const JdbcEvent *event, JdbcRow *row,
						ConnectError *err);
static const ConnectValue *cell_of(const JdbcEvent *event,
								   const JdbcField *field,
								   ConnectValue *scratch);
static bool convert_cell(JdbcSink *sink, const JdbcField *field,
						 const ConnectValue *cell, JdbcRow *row,
						 ConnectError *err);

bool
connect_jdbcsink_row(JdbcSink *sink, JdbcEvent *event, JdbcRow *row,
					 ConnectError *err)
{
	JdbcShape  *shape = event->shape;
	JdbcTarget *target = event->target;

	row->event = event;
	row->target = target;
	row->op = event->op;
	row->set = shape->column_set;
	row->values = palloc(target->ncolumns * (sizeof(Datum) + sizeof(bool)));
	row->nulls = (bool *) (row->values + target->ncolumns);
	memset(row->nulls, true, target->ncolumns);

	sink->current_record = event->record;
	if (shape->raw && !convert_raw(sink, event, row, err))
		return false;
	if (!shape->raw && row->set == NULL && !convert_map(sink, event, row, err))
		return false;
	for (int i = 0; i < shape->nfields; i++)
	{
		const JdbcField *field = &shape->fields[i];
		ConnectValue scratch;

		if (field->origin == JDBC_FROM_UNKNOWN ||
			(field->origin == JDBC_FROM_VALUE_FIELD && field->index < 0))
			continue;
		if (!convert_cell(sink, field, cell_of(event, field, &scratch), row,
						  err))
			return false;
	}
	sink->current_record = NULL;
	sink->current_field = NULL;
	return true;
}

static const ConnectValue *
cell_of(const JdbcEvent *event, const JdbcField *field, ConnectValue *scratch)
{
	const ConnectRecord *record = event->record;
	const ConnectValue *cell = NULL;

	*scratch = connect_value_null();
	switch (field->origin)
	{
		case JDBC_FROM_VALUE_FIELD:
			return &event->value->u.elems[field->index];
		case JDBC_FROM_VALUE:
			return event->value;
		case JDBC_FROM_KEY_FIELD:
			if (field->index >= 0)
				return &record->key.u.elems[field->index];
			cell = connect_value_field(NULL, &record->key, field->name,
									   strlen(field->name));
			return cell ? cell : scratch;
		case JDBC_FROM_KEY:
			return &record->key;
		case JDBC_FROM_HEADER:
			for (int i = 0; i < record->nheaders; i++)
			{
				if (strcmp(record->headers[i].name, field->name) == 0)
					cell = &record->headers[i].value;
			}
			return cell ? cell : scratch;
		case JDBC_FROM_TOPIC:
			*scratch = connect_value_string(record->topic);
			break;
		case JDBC_FROM_PARTITION:
			*scratch = connect_value_int(CONNECT_KIND_INT32, record->partition);
			break;
		case JDBC_FROM_OFFSET:
			*scratch = connect_value_int(CONNECT_KIND_INT64, record->offset);
			break;
		case JDBC_FROM_UNKNOWN:
			break;
	}
	return scratch;
}

static bool
convert_cell(JdbcSink *sink, const JdbcField *field, const ConnectValue *cell,
			 JdbcRow *row, ConnectError *err)
{
	int			column = field->column;
	ConnectValue other;

	sink->current_field = field->name;
	if (cell->kind == CONNECT_KIND_NULL && field->schema != NULL &&
		field->schema->has_default &&
		(sink->options.flavour == JDBC_DEBEZIUM ? !field->schema->optional :
		 sink->options.null_to_default))
		cell = &field->schema->default_value;
	if ((field->is_epoch || field->schema != NULL) &&
		connect_jdbcsink_temporal(sink, field, &row->target->columns[column],
								  cell, &row->values[column]))
	{
		row->nulls[column] = false;
		return true;
	}
	if (unlikely(field->turn != NULL))
		cell = field->turn(field, cell, &other);
	if (connect_datum_make(field->plan, field->schema, cell,
						   &row->values[column], &row->nulls[column], err))
		return true;
	if (field->schema != NULL && sink->options.auto_evolve)
		connect_jdbcsink_suggest_type(sink, row->target, field, cell, err);
	return false;
}

/*
 * Which members were there decides the column set; most often they are those
 * of the record before.
 */
static void
choose_set(JdbcShape *shape, JdbcRow *row, const bool *present,
		   bool has_unknown)
{
	Bitmapset  *given = NULL;

	if (shape->last_set != NULL && shape->last_unknown == has_unknown &&
		memcmp(shape->last_present, present, shape->nwanted * sizeof(bool)) == 0)
	{
		row->set = shape->last_set;
		return;
	}
	for (int i = 0; i < shape->nwanted; i++)
	{
		if (present[i])
			given = bms_add_member(given,
								   shape->fields[shape->wanted_fields[i]].column);
	}
	for (int i = 0; i < shape->nfields; i++)
	{
		const JdbcField *field = &shape->fields[i];

		if (field->origin == JDBC_FROM_UNKNOWN ? has_unknown :
			!(field->origin == JDBC_FROM_VALUE_FIELD && field->index < 0))
			given = bms_add_member(given, field->column);
	}
	row->set = connect_jdbcsink_column_set(row->target, given, shape->keys);
	memcpy(shape->last_present, present, shape->nwanted * sizeof(bool));
	shape->last_unknown = has_unknown;
	shape->last_set = row->set;
}

/* Key members must be there; *err says which is not. */
static bool
check_keys(const JdbcShape *shape, const bool *present, ConnectError *err)
{
	for (int i = 0; i < shape->nwanted; i++)
	{
		const JdbcField *field = &shape->fields[shape->wanted_fields[i]];

		if (field->is_key && !present[i])
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "The value has no field \"%s\", which is part of the key of table \"%s\"",
									 field->name, shape->target->name);
	}
	return true;
}

static bool
is_known(JdbcSink *sink, const JdbcEvent *event, const ConnectValue *member,
		 const char *name)
{
	const JdbcShape *shape = event->shape;

	if (strlen(name) != member->len)
		return false;			/* \u0000: no column is called so */

	for (int i = 0; i < shape->nfields; i++)
	{
		if (shape->fields[i].origin != JDBC_FROM_UNKNOWN &&
			strcmp(shape->fields[i].name, name) == 0)
			return true;
	}
	return !connect_jdbcsink_is_wanted(&sink->options, event->record->topic,
									   name);
}

static bool
refuse_unknown(const JdbcEvent *event, const char *name, ConnectError *err)
{
	return connect_error_set(err, CONNECT_DATA_EXCEPTION,
							 "Table \"%s\" has no column for field \"%s\"; unknown.fields says what to do with such",
							 event->target->name, name);
}

static const JdbcField *
unknown_field(const JdbcShape *shape)
{
	for (int i = 0; i < shape->nfields; i++)
	{
		if (shape->fields[i].origin == JDBC_FROM_UNKNOWN)
			return &shape->fields[i];
	}
	return NULL;
}

/* Adds a member to the object of the fields without column. */
static bool
append_unknown(StringInfo object, const ConnectValue *name,
			   const ConnectValue *value, ConnectError *err)
{
	static const ConnectJsonOptions options = {0};

	if (object->data == NULL)
		initStringInfo(object);
	appendStringInfoChar(object, object->len == 0 ? '{' : ',');
	connect_json_append_string(object, name->u.p, name->len);
	appendStringInfoChar(object, ':');
	return connect_json_append_value(object, NULL, value, &options, err);
}

/* Puts the object of the fields without column into its own column. */
static bool
collect_unknown(JdbcSink *sink, const JdbcEvent *event, StringInfo object,
				JdbcRow *row, ConnectError *err)
{
	const JdbcField *field = unknown_field(event->shape);
	ConnectValue cell;

	if (field == NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Table \"%s\" has no column \"%s\" for fields without a column",
								 event->target->name,
								 sink->options.unknown_column);
	appendStringInfoChar(object, '}');
	cell = connect_value_text(CONNECT_KIND_JSON_TEXT, object->data, object->len);
	return convert_cell(sink, field, &cell, row, err);
}

/* From the message's bytes straight into the columns. */
static bool
convert_raw(JdbcSink *sink, const JdbcEvent *event, JdbcRow *row,
			ConnectError *err)
{
	JdbcShape  *shape = event->shape;
	ConnectJsonResult result;
	StringInfoData object = {0};

	if (!connect_json_plan_decode(shape->json, event->record->raw_value.data,
								  event->record->raw_value.len, shape->cells,
								  &result, err))
		return false;
	if (!result.is_object)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Value schema must be of type Struct");
	if (!check_keys(shape, result.present, err))
		return false;

	for (int i = 0; i < result.nunknown; i++)
	{
		const ConnectJsonUnknown *unknown = &result.unknown[i];
		char	   *name = pnstrdup(unknown->name.u.p, unknown->name.len);

		if (is_known(sink, event, &unknown->name, name))
			continue;
		if (sink->options.unknown == JDBC_UNKNOWN_FAIL)
			return refuse_unknown(event, name, err);
		if (!append_unknown(&object, &unknown->name, &unknown->value, err))
			return false;
	}
	choose_set(shape, row, result.present, object.data != NULL);
	for (int i = 0; i < shape->nwanted; i++)
	{
		if (result.present[i] &&
			!convert_cell(sink, &shape->fields[shape->wanted_fields[i]],
						  &shape->cells[i], row, err))
			return false;
	}
	return object.data == NULL ||
		collect_unknown(sink, event, &object, row, err);
}

/* The same for an object that has been decoded already. */
static bool
convert_map(JdbcSink *sink, const JdbcEvent *event, JdbcRow *row,
			ConnectError *err)
{
	JdbcShape  *shape = event->shape;
	const ConnectValue *map = event->value;
	bool	   *present = palloc0(shape->nwanted * sizeof(bool));
	StringInfoData object = {0};

	for (int i = 0; i < shape->nwanted; i++)
	{
		const JdbcField *field = &shape->fields[shape->wanted_fields[i]];
		const ConnectValue *cell = connect_value_field(NULL, map, field->name,
													   strlen(field->name));

		if (cell == NULL)
			continue;
		present[i] = true;
		if (!convert_cell(sink, field, cell, row, err))
			return false;
	}
	if (!check_keys(shape, present, err))
		return false;

	for (int i = 0; i < map->len && !shape->is_delete &&
		 sink->options.unknown != JDBC_UNKNOWN_IGNORE; i++)
	{
		const ConnectValue *name = &map->u.elems[2 * i];
		char	   *text;

		if (name->kind != CONNECT_KIND_STRING)
			continue;
		text = pnstrdup(name->u.p, name->len);
		if (is_known(sink, event, name, text))
			continue;
		if (sink->options.unknown == JDBC_UNKNOWN_FAIL)
			return refuse_unknown(event, text, err);
		if (!append_unknown(&object, name, name + 1, err))
			return false;
	}
	choose_set(shape, row, present, object.data != NULL);
	return object.data == NULL ||
		collect_unknown(sink, event, &object, row, err);
}
