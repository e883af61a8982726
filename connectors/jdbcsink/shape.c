/*
 * shape.c
 *	  How records of one form become rows of one table.
 *
 * NOTES
 *	  Task process.  A shape is made once for a table, a key schema and a value
 *	  schema, and kept until the table changes.  It holds copies of the schemas,
 *	  since a converter may make new ones for each message; within a batch the
 *	  addresses are compared first.
 *
 *	  A schemaless object has no shape of its own: each column is looked for
 *	  among its members, and which were there differs from record to record.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "jdbcsink/jdbcsink.h"

typedef struct FieldList
{
	int			n;
	int			max;
	JdbcField  *fields;
} FieldList;

static JdbcShape *find_shape(JdbcSink *sink, const JdbcEvent *event);
static bool make_shape(JdbcSink *sink, JdbcEvent *event, ConnectError *err);
static bool collect_fields(JdbcSink *sink, const JdbcEvent *event,
						   FieldList *list, ConnectError *err);
static bool collect_key(JdbcSink *sink, const JdbcEvent *event,
						FieldList *list, ConnectError *err);
static bool collect_record_key(JdbcSink *sink, const JdbcEvent *event,
							   FieldList *list, ConnectError *err);
static bool collect_record_value(JdbcSink *sink, const JdbcEvent *event,
								 FieldList *list, ConnectError *err);
static bool collect_value(JdbcSink *sink, const JdbcEvent *event,
						  FieldList *list, ConnectError *err);
static void collect_columns(JdbcSink *sink, const JdbcEvent *event,
							FieldList *list);
static void sort_fields(const JdbcEvent *event, FieldList *list);
static bool ensure_table(JdbcSink *sink, JdbcTarget *target,
						 const JdbcEvent *event, FieldList *list,
						 ConnectError *err);
static bool check_columns(const JdbcTarget *target, const FieldList *list,
						  ConnectError *err);
static JdbcShape *bind_fields(JdbcSink *sink, const JdbcEvent *event,
							  const FieldList *list);

static const char *const kafka_columns[] = {
	"__connect_topic", "__connect_partition", "__connect_offset"
};

bool
connect_jdbcsink_shape(JdbcSink *sink, JdbcEvent *event, ConnectError *err)
{
	const ConnectRecord *record = event->record;
	JdbcShape  *shape = sink->last_shape;

	if (shape != NULL && shape->target == event->target &&
		shape->is_delete == (event->op == JDBC_OP_DELETE) &&
		shape->raw == event->raw &&
		sink->last_key_schema == record->key_schema &&
		sink->last_value_schema == event->value_schema)
	{
		event->shape = shape;
		return true;
	}

	connect_jdbcsink_target_refresh(sink, event->target);
	event->shape = find_shape(sink, event);
	if (event->shape == NULL && !make_shape(sink, event, err))
		return false;
	sink->last_shape = event->shape;
	sink->last_key_schema = record->key_schema;
	sink->last_value_schema = event->value_schema;
	return true;
}

static bool
same_schema(const ConnectSchema *a, const ConnectSchema *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return connect_schema_equal(a, b);
}

static JdbcShape *
find_shape(JdbcSink *sink, const JdbcEvent *event)
{
	ListCell   *lc;

	foreach(lc, event->target->shapes)
	{
		JdbcShape  *shape = lfirst(lc);

		if (shape->is_delete == (event->op == JDBC_OP_DELETE) &&
			shape->raw == event->raw &&
			same_schema(shape->key_schema, event->record->key_schema) &&
			same_schema(shape->value_schema, event->value_schema))
			return shape;
	}
	return NULL;
}

/* May the missing table be made, and is it known how? */
static bool
may_create(JdbcSink *sink, const JdbcEvent *event, ConnectError *err)
{
	if (!sink->options.auto_create)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Table \"%s\" is missing and auto-creation is disabled",
								 event->target->name);
	if (event->raw || event->value_schema == NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Table \"%s\" is missing and cannot be created from a value without schema",
								 event->target->name);
	return true;
}

static bool
make_shape(JdbcSink *sink, JdbcEvent *event, ConnectError *err)
{
	JdbcTarget *target = event->target;
	FieldList	list = {0};

	if (!OidIsValid(target->relid) && event->op == JDBC_OP_WRITE &&
		!may_create(sink, event, err))
		return false;
	if (!collect_fields(sink, event, &list, err) ||
		!ensure_table(sink, target, event, &list, err))
		return false;
	if (!OidIsValid(target->relid))
	{
		/* A delete from a table that is not there yet. */
		event->op = JDBC_OP_SKIP;
		return true;
	}
	event->shape = bind_fields(sink, event, &list);
	return true;
}

static JdbcField *
add_field(FieldList *list, const char *name, const ConnectSchema *schema,
		  JdbcOrigin origin, int index)
{
	JdbcField  *field;

	if (list->n == list->max)
	{
		list->max = Max(16, list->max * 2);
		list->fields = list->fields ?
			repalloc(list->fields, list->max * sizeof(JdbcField)) :
			palloc(list->max * sizeof(JdbcField));
	}
	field = &list->fields[list->n++];
	memset(field, 0, sizeof(*field));
	field->name = name;
	field->schema = schema;
	field->origin = origin;
	field->index = index;
	field->column = -1;
	return field;
}

static JdbcField *
find_field(const FieldList *list, const char *name)
{
	for (int i = 0; i < list->n; i++)
	{
		if (strcmp(list->fields[i].name, name) == 0)
			return &list->fields[i];
	}
	return NULL;
}

/* "field" or, in Debezium's lists, "topic:field". */
static bool
in_list(char **entries, int n, const char *topic, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		const char *colon = strchr(entries[i], ':');

		if (strcmp(entries[i], name) == 0)
			return true;
		if (colon != NULL && strcmp(colon + 1, name) == 0 &&
			strlen(topic) == colon - entries[i] &&
			strncmp(entries[i], topic, colon - entries[i]) == 0)
			return true;
	}
	return false;
}

bool
connect_jdbcsink_is_wanted(const JdbcOptions *options, const char *topic,
						   const char *name)
{
	if (options->nfields > 0 &&
		!in_list(options->fields, options->nfields, topic, name))
		return false;
	return !in_list(options->excluded, options->nexcluded, topic, name);
}

/* "[a, b]" */
static char *
names_text(char **names, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '[');
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", names[i]);
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

/* May a value be a string?  *err names all options that are in its way. */
static bool
check_string(const JdbcOptions *options, ConnectError *err)
{
	char	   *names[3];
	int			n = 0;

	if (options->key_mode == JDBC_KEY_RECORD_VALUE)
		names[n++] = "pk.mode=record_value";
	if (options->nfields > 0)
		names[n++] = "fields.whitelist";
	if (options->ntimestamp_fields > 0)
		names[n++] = "timestamp.fields.list";
	return n == 0 ||
		connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
						  "A value that is a string cannot be stored with %s",
						  names_text(names, n));
}

/*
 * What a record of this form has for the table, in the order in which a table
 * is created from it.
 */
static bool
collect_fields(JdbcSink *sink, const JdbcEvent *event, FieldList *list,
			   ConnectError *err)
{
	if (event->value_schema != NULL &&
		event->value_schema->type == CONNECT_STRING &&
		!check_string(&sink->options, err))
		return false;
	if (!collect_key(sink, event, list, err))
		return false;
	if (event->op == JDBC_OP_WRITE && !collect_value(sink, event, list, err))
		return false;
	if (list->n == 0)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "No fields found using key and value schemas for table: %s",
								 event->target->name);
	sort_fields(event, list);
	return true;
}

static bool
collect_key(JdbcSink *sink, const JdbcEvent *event, FieldList *list,
			ConnectError *err)
{
	static const JdbcOrigin origins[] = {
		JDBC_FROM_TOPIC, JDBC_FROM_PARTITION, JDBC_FROM_OFFSET
	};
	static const ConnectType types[] = {
		CONNECT_STRING, CONNECT_INT32, CONNECT_INT64
	};
	const JdbcOptions *options = &sink->options;

	switch (options->key_mode)
	{
		case JDBC_KEY_NONE:
			return true;
		case JDBC_KEY_KAFKA:
			for (int i = 0; i < 3; i++)
				add_field(list, options->nkey_fields == 3 ?
						  options->key_fields[i] : kafka_columns[i],
						  connect_schema_make(types[i]),
						  origins[i], -1)->is_key = true;
			return true;
		case JDBC_KEY_RECORD_KEY:
			return collect_record_key(sink, event, list, err);
		case JDBC_KEY_RECORD_VALUE:
			return collect_record_value(sink, event, list, err);
		case JDBC_KEY_RECORD_HEADER:
			for (int i = 0; i < options->nkey_fields; i++)
			{
				const ConnectRecord *record = event->record;
				const ConnectHeader *header = NULL;

				for (int j = 0; j < record->nheaders; j++)
				{
					if (strcmp(record->headers[j].name,
							   options->key_fields[i]) == 0)
						header = &record->headers[j];
				}
				if (header == NULL)
					return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
											 "PK mode for table '%s' is RECORD_HEADER, but the record has no header: %s",
											 event->target->name,
											 options->key_fields[i]);
				add_field(list, options->key_fields[i], header->schema,
						  JDBC_FROM_HEADER, -1)->is_key = true;
			}
			return true;
	}
	pg_unreachable();
}

/* Adds the key's fields of a struct: those configured, or all. */
static bool
add_key_fields(const JdbcOptions *options, const JdbcEvent *event,
			   const ConnectSchema *schema, JdbcOrigin origin,
			   FieldList *list, ConnectError *err)
{
	bool		of_value = origin == JDBC_FROM_VALUE_FIELD;

	for (int i = 0; i < options->nkey_fields; i++)
	{
		const char *name = options->key_fields[i];
		int			index = connect_schema_field(schema, name, strlen(name));

		if (index < 0)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "PK mode for table '%s' is %s with configured PK fields %s, but record %s schema does not contain field: %s",
									 event->target->name,
									 of_value ? "RECORD_VALUE" : "RECORD_KEY",
									 names_text(options->key_fields,
												options->nkey_fields),
									 of_value ? "value" : "key", name);
		add_field(list, name, schema->fields[index].schema, origin,
				  index)->is_key = true;
	}
	for (int i = 0; options->nkey_fields == 0 && i < schema->nfields; i++)
		add_field(list, schema->fields[i].name, schema->fields[i].schema,
				  origin, i)->is_key = true;
	return true;
}

/* Adds the table's primary key, for records whose form names no key. */
static void
collect_primary(const JdbcTarget *target, FieldList *list, JdbcOrigin origin)
{
	for (int i = 0; i < target->nprimary; i++)
		add_field(list, target->columns[target->primary[i]].name, NULL,
				  origin, -1)->is_key = true;
}

static bool
collect_record_key(JdbcSink *sink, const JdbcEvent *event, FieldList *list,
				   ConnectError *err)
{
	const JdbcOptions *options = &sink->options;
	const ConnectRecord *record = event->record;
	const ConnectSchema *schema = record->key_schema;

	if (schema == NULL && record->key.kind == CONNECT_KIND_NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "PK mode for table '%s' is RECORD_KEY, but record key schema is missing",
								 event->target->name);
	if (schema != NULL && connect_value_is_null(&record->key))
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "PK mode for table '%s' is RECORD_KEY, but the record's key is null",
								 event->target->name);

	if (schema == NULL && record->key.kind == CONNECT_KIND_MAP)
	{
		for (int i = 0; i < options->nkey_fields; i++)
			add_field(list, options->key_fields[i], NULL,
					  JDBC_FROM_KEY_FIELD, -1)->is_key = true;
		if (options->nkey_fields == 0)
			collect_primary(event->target, list, JDBC_FROM_KEY_FIELD);
		return true;
	}
	if (schema != NULL && schema->type == CONNECT_STRUCT)
		return add_key_fields(options, event, schema, JDBC_FROM_KEY_FIELD,
							  list, err);
	if (schema != NULL &&
		(schema->type == CONNECT_ARRAY || schema->type == CONNECT_MAP))
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Key schema must be primitive type or Struct, but is of type: %s",
								 connect_type_name(schema->type));
	if (options->nkey_fields == 1)
		add_field(list, options->key_fields[0], schema, JDBC_FROM_KEY,
				  -1)->is_key = true;
	else if (schema == NULL && options->nkey_fields == 0 &&
			 event->target->nprimary == 1)
		collect_primary(event->target, list, JDBC_FROM_KEY);
	else
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Need exactly one PK column defined since the key schema for records is a primitive type, defined columns are: %s",
								 names_text(options->key_fields,
											options->nkey_fields));
	return true;
}

static bool
collect_record_value(JdbcSink *sink, const JdbcEvent *event, FieldList *list,
					 ConnectError *err)
{
	const JdbcOptions *options = &sink->options;
	const ConnectSchema *schema = event->value_schema;

	if (!event->raw && event->value == NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "PK mode for table '%s' is RECORD_VALUE, but record value schema is missing",
								 event->target->name);
	if (schema == NULL)
	{
		for (int i = 0; i < options->nkey_fields; i++)
			add_field(list, options->key_fields[i], NULL,
					  JDBC_FROM_VALUE_FIELD, -1)->is_key = true;
		if (options->nkey_fields == 0)
			collect_primary(event->target, list, JDBC_FROM_VALUE_FIELD);
		return true;
	}
	if (schema->type != CONNECT_STRUCT)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Value schema must be of type Struct");
	return add_key_fields(options, event, schema, JDBC_FROM_VALUE_FIELD, list,
						  err);
}

static bool
collect_value(JdbcSink *sink, const JdbcEvent *event, FieldList *list,
			  ConnectError *err)
{
	const JdbcOptions *options = &sink->options;
	const ConnectSchema *schema = event->value_schema;

	if (schema != NULL && schema->type == CONNECT_STRING)
	{
		if (find_field(list, options->string_column) != NULL)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "Field '%s' is both the key and the column of string values",
									 options->string_column);
		add_field(list, options->string_column, schema, JDBC_FROM_VALUE, -1);
		return true;
	}
	if (schema == NULL)
	{
		collect_columns(sink, event, list);
		return true;
	}
	for (int i = 0; i < schema->nfields; i++)
	{
		const char *name = schema->fields[i].name;
		JdbcField  *field;

		if (find_field(list, name) != NULL ||
			!connect_jdbcsink_is_wanted(options, event->record->topic, name))
			continue;
		if (list->n == MaxHeapAttributeNumber)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "The value has more fields than a table can have columns");
		field = add_field(list, name, schema->fields[i].schema,
						  JDBC_FROM_VALUE_FIELD, i);
		field->is_epoch = in_list(options->timestamp_fields,
								  options->ntimestamp_fields, "", name);
	}
	return true;
}

/* Of an object without schema every column of the table may be a member. */
static void
collect_columns(JdbcSink *sink, const JdbcEvent *event, FieldList *list)
{
	const JdbcTarget *target = event->target;
	const JdbcOptions *options = &sink->options;
	Bitmapset  *keys = NULL;

	for (int i = 0; i < list->n; i++)
	{
		int			column = connect_jdbcsink_column(target, list->fields[i].name);

		if (column >= 0)
			keys = bms_add_member(keys, column);
	}
	for (int i = 0; i < target->ncolumns; i++)
	{
		const JdbcColumn *col = &target->columns[i];

		if (!OidIsValid(col->type) || bms_is_member(i, keys))
			continue;
		if (options->unknown == JDBC_UNKNOWN_COLLECT &&
			strcmp(col->name, options->unknown_column) == 0)
			add_field(list, col->name, NULL, JDBC_FROM_UNKNOWN, -1);
		else if (connect_jdbcsink_is_wanted(options, event->record->topic,
											col->name))
			add_field(list, col->name, NULL, JDBC_FROM_VALUE_FIELD,
					  -1)->is_epoch = in_list(options->timestamp_fields,
											  options->ntimestamp_fields, "",
											  col->name);
	}
}

/* Confluent's order: its own key columns, the value's, the rest by name. */
static int
field_rank(const JdbcField *field, const ConnectSchema *value_schema)
{
	for (int i = 0; i < lengthof(kafka_columns); i++)
	{
		if (strcmp(field->name, kafka_columns[i]) == 0)
			return i;
	}
	if (value_schema != NULL && value_schema->type == CONNECT_STRUCT)
	{
		int			i = connect_schema_field(value_schema, field->name,
											 strlen(field->name));

		if (i >= 0)
			return lengthof(kafka_columns) + i;
	}
	return INT_MAX;
}

static int
compare_fields(const void *a, const void *b, void *arg)
{
	const JdbcField *x = a;
	const JdbcField *y = b;
	int			rank_x = field_rank(x, arg);
	int			rank_y = field_rank(y, arg);

	if (rank_x != rank_y)
		return rank_x < rank_y ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
sort_fields(const JdbcEvent *event, FieldList *list)
{
	qsort_arg(list->fields, list->n, sizeof(JdbcField), compare_fields,
			  unconstify(ConnectSchema *, event->value_schema));
}

/* Makes what is missing, if it may be made. */
static bool
ensure_table(JdbcSink *sink, JdbcTarget *target, const JdbcEvent *event,
			 FieldList *list, ConnectError *err)
{
	const JdbcOptions *options = &sink->options;
	int			nmissing = 0;
	JdbcField  *missing;

	if (!OidIsValid(target->relid))
	{
		if (options->auto_create && event->op == JDBC_OP_DELETE)
			return true;
		if (!may_create(sink, event, err) ||
			!connect_jdbcsink_create_table(sink, target, list->fields,
										   list->n, err))
			return false;
		connect_jdbcsink_target_refresh(sink, target);
	}
	if ((target->relkind == RELKIND_VIEW && !options->allow_view) ||
		(target->relkind == RELKIND_PARTITIONED_TABLE &&
		 !options->allow_partitioned) ||
		(target->relkind != RELKIND_VIEW &&
		 target->relkind != RELKIND_PARTITIONED_TABLE &&
		 !options->allow_table))
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Table \"%s\" is of a kind that table.types leaves out",
								 target->name);

	missing = palloc(list->n * sizeof(JdbcField));
	for (int i = 0; i < list->n; i++)
	{
		if (connect_jdbcsink_column(target, list->fields[i].name) < 0)
			missing[nmissing++] = list->fields[i];
	}
	if (nmissing > 0)
	{
		if (!connect_jdbcsink_add_columns(sink, target, missing, nmissing, err))
			return false;
		connect_jdbcsink_target_refresh(sink, target);
	}
	return check_columns(target, list, err);
}

/* Each field has a column of its own: names may differ in case or at the end. */
static bool
check_columns(const JdbcTarget *target, const FieldList *list,
			  ConnectError *err)
{
	const char **owners = palloc0(target->ncolumns * sizeof(char *));

	for (int i = 0; i < list->n; i++)
	{
		const char *name = list->fields[i].name;
		int			column = connect_jdbcsink_column(target, name);

		if (column < 0)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "Table \"%s\" has no column for field \"%s\"",
									 target->name, name);
		if (owners[column] != NULL)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "Fields \"%s\" and \"%s\" would both be stored in column \"%s\" of table \"%s\"",
									 owners[column], name,
									 target->columns[column].name,
									 target->name);
		owners[column] = name;
	}
	return true;
}

static JdbcShape *
bind_fields(JdbcSink *sink, const JdbcEvent *event, const FieldList *list)
{
	JdbcTarget *target = event->target;
	MemoryContext old = MemoryContextSwitchTo(target->context);
	JdbcShape  *shape = palloc0(sizeof(JdbcShape));
	Bitmapset  *given = NULL;
	bool		fixed = true;

	shape->target = target;
	shape->is_delete = event->op == JDBC_OP_DELETE;
	shape->raw = event->raw;
	if (event->record->key_schema != NULL)
		shape->key_schema = connect_schema_copy(event->record->key_schema);
	if (event->value_schema != NULL)
		shape->value_schema = connect_schema_copy(event->value_schema);
	shape->nfields = list->n;
	shape->fields = palloc(list->n * sizeof(JdbcField));
	shape->wanted_fields = palloc(list->n * sizeof(int));
	for (int i = 0; i < list->n; i++)
	{
		JdbcField  *field = &shape->fields[i];
		const JdbcColumn *col;

		*field = list->fields[i];
		field->name = pstrdup(field->name);
		if (field->schema != NULL)
			field->schema = connect_schema_copy(field->schema);
		field->column = connect_jdbcsink_column(target, field->name);
		Assert(field->column >= 0);
		col = &target->columns[field->column];
		field->plan = connect_datum_plan_make(field->name, col->type,
											  col->typmod,
											  &sink->options.datum);
		field->base_typmod = col->typmod;
		field->base_type = getBaseTypeAndTypmod(col->type,
												&field->base_typmod);
		field->turn = connect_jdbcsink_cell_function(field);
		given = bms_add_member(given, field->column);
		if (field->is_key)
			shape->keys = bms_add_member(shape->keys, field->column);
		if (field->index < 0 &&
			(field->origin == JDBC_FROM_VALUE_FIELD ||
			 field->origin == JDBC_FROM_UNKNOWN))
		{
			fixed = false;
			if (field->origin == JDBC_FROM_VALUE_FIELD)
				shape->wanted_fields[shape->nwanted++] = i;
		}
	}
	if (fixed)
		shape->column_set = connect_jdbcsink_column_set(target, given,
														shape->keys);
	else if (shape->raw)
	{
		const char **names = palloc(shape->nwanted * sizeof(char *));

		for (int i = 0; i < shape->nwanted; i++)
			names[i] = shape->fields[shape->wanted_fields[i]].name;
		shape->json = connect_json_plan_make(names, shape->nwanted,
											 sink->options.unknown == JDBC_UNKNOWN_IGNORE ?
											 0 : CONNECT_JSON_PLAN_UNKNOWN);
		shape->cells = palloc(shape->nwanted * sizeof(ConnectValue));
		shape->last_present = palloc0(shape->nwanted * sizeof(bool));
	}
	else
		shape->last_present = palloc0(shape->nwanted * sizeof(bool));
	target->shapes = lappend(target->shapes, shape);
	MemoryContextSwitchTo(old);
	return shape;
}
