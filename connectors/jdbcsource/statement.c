/*
 * statement.c
 *	  The statements that read a table, and what is known of its columns.
 *
 * NOTES
 *	  A keyed statement reads a window: above what has been read, up to a bound
 *	  below which nothing will come any more (writers.c).  Where an index gives
 *	  the order it is chunked: FETCH FIRST … WITH TIES, so that a chunk never
 *	  ends between rows of one key.  Elsewhere each chunk would sort the whole
 *	  window again; there the window is read at once and stored (reader.c).
 *
 *	  Ids are bounded from below by >= last + 1 rather than > last, so that one
 *	  value can say "from the first row".
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "jdbcsource/jdbcsource.h"

/* Nobody's own, which a schema of the search path may have for the types. */
#define GE	"OPERATOR(pg_catalog.>=)"
#define GT	"OPERATOR(pg_catalog.>)"
#define LE	"OPERATOR(pg_catalog.<=)"
#define LT	"OPERATOR(pg_catalog.<)"

/* A column of what is read. */
typedef struct Column
{
	const char *name;
	Oid			type;			/* below domains */
	bool		nullable;
	bool		counts;			/* identity, or a default from a sequence */
	AttrNumber	attnum;			/* in the table */
	int			position;		/* in the rows that are read; 0 = left out */
} Column;

/* What a statement is made of. */
typedef struct Source
{
	const ConnectJdbcSettings *settings;
	const char *label;			/* for error texts */
	Column	   *columns;
	int			ncolumns;
	const char *relation;		/* FROM item */
	const char *list;			/* select list */
	Relation	rel;			/* NULL: a query */
} Source;

static uint64 version = 1;		/* see connect_jdbc_version() */

static void describe_table(Source *source, Relation rel);
static void describe_query(Source *source);
static Column *find_column(const Source *source, const char *name);
static void choose_columns(const Source *source, ConnectJdbcStatement *statement,
						   char **id, char **ts);
static void prepare(const Source *source, ConnectJdbcStatement *statement,
					const char *id, const char *ts);
static bool has_index(Relation rel, AttrNumber attnum);
static void find_relations(ConnectJdbcStatement *statement);

static void
relation_changed(Datum arg, Oid relid)
{
	version++;
}

uint64
connect_jdbc_version(void)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		registered = true;
	}
	return version;
}

ConnectJdbcStatement *
connect_jdbc_statement_make(const ConnectJdbcSettings *settings, Oid relid,
							MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent,
												  "Connect statement",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ConnectJdbcStatement *statement = palloc0(sizeof(ConnectJdbcStatement));
	Source		source = {.settings = settings};
	char	   *id = NULL;
	char	   *ts = NULL;

	PG_TRY();
	{
		statement->context = context;
		statement->version = connect_jdbc_version();
		statement->relid = relid;
		SPI_connect();
		MemoryContextSwitchTo(context);
		if (OidIsValid(relid))
			describe_table(&source, relation_open(relid, AccessShareLock));
		else
			describe_query(&source);
		if (settings->mode != CONNECT_JDBC_BULK)
			choose_columns(&source, statement, &id, &ts);
		prepare(&source, statement, id, ts);
		if (source.rel != NULL)
			relation_close(source.rel, NoLock);
		SPI_finish();
		find_relations(statement);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		connect_jdbc_statement_free(statement);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	return statement;
}

void
connect_jdbc_statement_free(ConnectJdbcStatement *statement)
{
	if (statement->read != NULL)
		SPI_freeplan(statement->read);
	if (statement->top != NULL)
		SPI_freeplan(statement->top);
	MemoryContextDelete(statement->context);
}

/* Is the column to be read, by the two lists? */
static bool
column_chosen(const ConnectJdbcSettings *settings, const char *table,
			  const char *column)
{
	char	   *name = psprintf("%s.%s", table, column);
	bool		result = settings->ncolumn_include == 0;

	for (int i = 0; i < settings->ncolumn_include && !result; i++)
		result = connect_jdbc_matches(settings->column_include[i], name);
	for (int i = 0; i < settings->ncolumn_exclude && result; i++)
		result = !connect_jdbc_matches(settings->column_exclude[i], name);
	return result;
}

static bool
domain_not_null(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_type) GETSTRUCT(tuple))->typnotnull;
		ReleaseSysCache(tuple);
	}
	return result;
}

/* Has the column a default that takes a number from a sequence? */
static bool
default_counts(Relation rel, AttrNumber attnum)
{
	Node	   *expr = build_column_default(rel, attnum);

	while (expr != NULL && IsA(expr, FuncExpr) &&
		   list_length(((FuncExpr *) expr)->args) == 1 &&
		   ((FuncExpr *) expr)->funcformat != COERCE_EXPLICIT_CALL)
		expr = linitial(((FuncExpr *) expr)->args);
	return expr != NULL && (IsA(expr, NextValueExpr) ||
							(IsA(expr, FuncExpr) &&
							 strcmp(get_func_name(((FuncExpr *) expr)->funcid), "nextval") == 0));
}

static void
describe_table(Source *source, Relation rel)
{
	const ConnectJdbcSettings *settings = source->settings;
	TupleDesc	desc = RelationGetDescr(rel);
	const char *schema = get_namespace_name(RelationGetNamespace(rel));
	const char *dotted = psprintf("%s.%s", schema, RelationGetRelationName(rel));
	ConnectJdbcTable table = {RelationGetRelid(rel), schema,
	RelationGetRelationName(rel)};
	bool		filtered = settings->ncolumn_include > 0 ||
		settings->ncolumn_exclude > 0;
	StringInfoData list;
	int			position = 0;

	source->rel = rel;
	source->label = connect_jdbc_table_quoted(&table, true);
	source->relation = quote_qualified_identifier(schema,
												  RelationGetRelationName(rel));
	source->columns = palloc0(sizeof(Column) * Max(desc->natts, 1));
	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Column	   *column = &source->columns[source->ncolumns];

		if (att->attisdropped)
			continue;
		source->ncolumns++;
		column->name = pstrdup(NameStr(att->attname));
		column->type = getBaseType(att->atttypid);
		column->nullable = !att->attnotnull && !domain_not_null(att->atttypid);
		column->attnum = att->attnum;
		column->counts = att->attidentity != '\0' ||
			(att->atthasdef && att->attgenerated == '\0' &&
			 default_counts(rel, att->attnum));
		if (filtered && !column_chosen(settings, dotted, column->name))
			continue;
		column->position = ++position;
		appendStringInfo(&list, "%s%s", position > 1 ? ", " : "",
						 quote_identifier(column->name));
	}
	if (filtered && position == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("no column of %s is chosen by column.include.list and column.exclude.list",
						source->label)));
	source->list = filtered ? list.data : "*";
}

/* The query without what would end it inside of parentheses. */
static char *
bare_query(const char *query)
{
	char	   *text = pstrdup(query);

	for (char *p = text + strlen(text);
		 p > text && strchr("; \t\r\n", p[-1]) != NULL; p--)
		p[-1] = '\0';
	return text;
}

static void
describe_query(Source *source)
{
	const char *query = bare_query(source->settings->query);
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
	List	   *plans;
	Query	   *parsed;
	TupleDesc	desc;

	/* SPI leaves its own, which ends with it, behind. */
	MemoryContextSwitchTo(context);
	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the query cannot be prepared: %s",
						SPI_result_code_string(SPI_result))));
	plans = SPI_plan_get_plan_sources(plan);
	if (list_length(plans) != 1 || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("option query must be a single SELECT")));
	/* SPI would say so when it runs, in words for authors of functions. */
	parsed = linitial_node(Query, ((CachedPlanSource *) linitial(plans))->query_list);
	if (parsed->hasModifyingCTE || parsed->rowMarks != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("option query must write nothing and lock no rows")));
	desc = ((CachedPlanSource *) linitial(plans))->resultDesc;
	source->columns = palloc0(sizeof(Column) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Column	   *column = &source->columns[source->ncolumns++];

		column->name = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
		column->type = getBaseType(TupleDescAttr(desc, i)->atttypid);
		column->nullable = true;
		column->position = i + 1;
		for (int j = 0; j < i; j++)
		{
			if (strcmp(source->columns[j].name, column->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("the query has two columns named \"%s\"",
								column->name),
						 errhint("Give one of them another name with AS.")));
		}
	}
	SPI_freeplan(plan);
	source->label = "the query";
	source->relation = psprintf("(%s\n) AS q", query);
	source->list = "*";
}

char *
connect_jdbc_query_check(const ConnectJdbcSettings *settings, Oid role,
						 const char *search_path)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile message = NULL;

	if (settings->query == NULL)
		return NULL;
	/* What is changed in here is undone with it. */
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		Source		source = {.settings = settings};
		Oid			user;
		int			security;

		GetUserIdAndSecContext(&user, &security);
		SetUserIdAndSecContext(role, security | SECURITY_LOCAL_USERID_CHANGE);
		(void) set_config_option("search_path",
								 search_path ? search_path : "\"$user\", public",
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
								 true, 0, false);
		SPI_connect();
		describe_query(&source);
		SPI_finish();
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		if (edata->sqlerrcode == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
		message = settings->masked ?
			psprintf("SQLSTATE %s", unpack_sql_state(edata->sqlerrcode)) :
			edata->message;
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return message;
}

/* As written, else in another case if that is only one; NULL if there is none. */
static Column *
find_column_or_null(const Source *source, const char *name)
{
	Column	   *found = NULL;

	for (int i = 0; i < source->ncolumns; i++)
	{
		if (strcmp(source->columns[i].name, name) == 0)
			return &source->columns[i];
	}
	for (int i = 0; i < source->ncolumns; i++)
	{
		if (pg_strcasecmp(source->columns[i].name, name) != 0)
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("column \"%s\" of %s is ambiguous", name,
							source->label)));
		found = &source->columns[i];
	}
	return found;
}

static Column *
find_column(const Source *source, const char *name)
{
	Column	   *found = find_column_or_null(source, name);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" does not exist in %s", name,
						source->label)));
	return found;
}

/* The one entry whose pattern the table matches. */
static const ConnectJdbcMapping *
find_mapping(const Source *source, const ConnectJdbcMapping *mappings, int n,
			 const char *option)
{
	const ConnectJdbcMapping *found = NULL;
	const char *dotted = psprintf("%s.%s",
								  get_namespace_name(RelationGetNamespace(source->rel)),
								  RelationGetRelationName(source->rel));

	for (int i = 0; i < n; i++)
	{
		if (!connect_jdbc_matches(mappings[i].pattern, dotted))
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s matches several entries of %s", source->label,
							option)));
		found = &mappings[i];
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s matches no entry of %s", source->label, option)));
	return found;
}

static Column *
choose_id(const Source *source)
{
	const ConnectJdbcSettings *settings = source->settings;

	if (settings->nincrementing_mapping > 0 && source->rel != NULL)
		return find_column(source,
						   find_mapping(source, settings->incrementing_mapping,
										settings->nincrementing_mapping,
										"incrementing.column.mapping")->columns[0]);
	if (*settings->incrementing_column != '\0')
		return find_column(source, settings->incrementing_column);
	for (int i = 0; i < source->ncolumns; i++)
	{
		if (source->columns[i].counts)
			return &source->columns[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s has no identity or serial column", source->label),
			 errhint("Name the column in incrementing.column.name.")));
}

/* A column of the key must be among what is read: its value is the offset. */
static void
require_read(const Source *source, const Column *column)
{
	if (column->position == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of %s cannot be left out", column->name,
						source->label),
				 errdetail("The mode needs it.")));
}

/* SQL of a timestamp column as an instant. */
static char *
as_instant(const Source *source, const Column *column)
{
	if (column->type == TIMESTAMPTZOID)
		return pstrdup(quote_identifier(column->name));
	return psprintf("pg_catalog.timezone(%s, %s::pg_catalog.timestamp)",
					quote_literal_cstr(pg_get_timezone_name(source->settings->zone)),
					quote_identifier(column->name));
}

/* A table's column that is not there is one that may be null, to Connect. */
static void
refuse_nullable(const Source *source, char **names, int n)
{
	StringInfoData list;
	const char *missing = NULL;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", names[i]);
		if (find_column_or_null(source, names[i]) == NULL)
			missing = names[i];
	}
	ereport(ERROR,
			(errcode(missing != NULL ? ERRCODE_UNDEFINED_COLUMN :
					 ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("Cannot make incremental queries using timestamp columns [%s] on %s because all of these columns nullable.",
					list.data, source->label),
			 missing != NULL ?
			 errdetail("Column \"%s\" does not exist.", missing) : 0));
}

static char *
choose_timestamps(const Source *source, ConnectJdbcStatement *statement)
{
	const ConnectJdbcSettings *settings = source->settings;
	char	  **names = settings->timestamp_columns;
	int			n = settings->ntimestamp_columns;
	bool		nullable = true;
	bool		mixed = false;
	StringInfoData sql;

	if (settings->ntimestamp_mapping > 0 && source->rel != NULL)
	{
		const ConnectJdbcMapping *mapping =
			find_mapping(source, settings->timestamp_mapping,
						 settings->ntimestamp_mapping,
						 "timestamp.columns.mapping");

		names = mapping->columns;
		n = mapping->ncolumns;
	}
	statement->nts = n;
	statement->ts_attrs = palloc(sizeof(int) * Max(n, 1));
	statement->ts_types = palloc(sizeof(Oid) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		Column	   *column = find_column_or_null(source, names[i]);

		if (column == NULL && n == 1 && settings->validate_non_null &&
			source->rel != NULL)
			refuse_nullable(source, names, n);
		column = find_column(source, names[i]);
		require_read(source, column);
		if (column->type != DATEOID && column->type != TIMESTAMPOID &&
			column->type != TIMESTAMPTZOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("timestamp column \"%s\" of %s has type %s",
							column->name, source->label,
							format_type_be(column->type)),
					 errhint("Columns of type timestamp, timestamp with time zone and date can be used.")));
		nullable = nullable && column->nullable;
		mixed |= i > 0 && column->type != statement->ts_types[0];
		statement->ts_attrs[i] = column->position;
		statement->ts_types[i] = column->type;
	}
	if (n == 0 || (settings->validate_non_null && nullable && source->rel != NULL))
		refuse_nullable(source, names, n);
	statement->ts_type = mixed ? TIMESTAMPTZOID : statement->ts_types[0];
	if (n == 1)
		return pstrdup(quote_identifier(find_column(source, names[0])->name));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "COALESCE(");
	for (int i = 0; i < n; i++)
	{
		Column	   *column = find_column(source, names[i]);

		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "",
						 mixed ? as_instant(source, column) :
						 quote_identifier(column->name));
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* Finds and checks the columns of the key; *id and *ts are their SQL. */
static void
choose_columns(const Source *source, ConnectJdbcStatement *statement,
			   char **id, char **ts)
{
	const ConnectJdbcSettings *settings = source->settings;

	if (settings->incrementing)
	{
		Column	   *column = choose_id(source);

		require_read(source, column);
		if (settings->validate_non_null && column->nullable && source->rel != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
					 errmsg("Cannot make incremental queries using incrementing column %s on %s because this column is nullable.",
							column->name, source->label)));
		statement->id_attr = column->position;
		statement->id_type = column->type;
		*id = pstrdup(quote_identifier(column->name));
		switch (column->type)
		{
			case INT2OID:
			case INT4OID:
			case INT8OID:
			case NUMERICOID:
				break;
			case OIDOID:
				*id = psprintf("%s::pg_catalog.int8", *id);
				break;
			default:
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("incrementing column \"%s\" of %s has type %s",
								column->name, source->label,
								format_type_be(column->type)),
						 column->type == FLOAT4OID || column->type == FLOAT8OID ?
						 errdetail("Invalid type for incrementing column: %s",
								   column->type == FLOAT4OID ? "FLOAT32" : "FLOAT64") : 0,
						 errhint("Integer and numeric columns can be used.")));
		}
	}
	if (settings->timestamp)
		*ts = choose_timestamps(source, statement);
	if (source->rel != NULL && *settings->query_suffix == '\0' &&
		statement->nts < 2 && statement->id_type != OIDOID)
	{
		int			position = settings->timestamp ? statement->ts_attrs[0] :
			statement->id_attr;

		for (int i = 0; i < source->ncolumns; i++)
		{
			if (source->columns[i].position == position)
				statement->chunked = has_index(source->rel,
											   source->columns[i].attnum);
		}
	}
}

static SPIPlanPtr
prepare_plan(const ConnectJdbcSettings *settings, const char *sql, int nargs,
			 Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, types,
										  CURSOR_OPT_NO_SCROLL);

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("what is read is no single SELECT"),
				 settings->masked ? 0 : errdetail("The statement is: %s", sql)));
	SPI_keepplan(plan);
	return plan;
}

static void
prepare(const Source *source, ConnectJdbcStatement *statement,
		const char *id, const char *ts)
{
	const ConnectJdbcSettings *settings = source->settings;
	StringInfoData sql;
	Oid			types[3];
	int			n = 0;

	initStringInfo(&sql);
	if (settings->mode == CONNECT_JDBC_BULK && source->rel == NULL)
		appendStringInfoString(&sql, bare_query(settings->query));
	else
		appendStringInfo(&sql, "SELECT %s FROM %s", source->list,
						 source->relation);
	switch (settings->mode)
	{
		case CONNECT_JDBC_BULK:
			break;
		case CONNECT_JDBC_INCREMENTING:
			appendStringInfo(&sql, " WHERE %s " GE " $1 AND %s " LE " $2 ORDER BY %s",
							 id, id, id);
			types[n++] = INT8OID;
			types[n++] = INT8OID;
			break;
		case CONNECT_JDBC_TIMESTAMP:
			appendStringInfo(&sql, " WHERE %s " GT " $1 AND %s " LT " $2 ORDER BY %s",
							 ts, ts, ts);
			types[n++] = statement->ts_type;
			types[n++] = statement->ts_type;
			break;
		case CONNECT_JDBC_TIMESTAMP_INCREMENTING:
			appendStringInfo(&sql, " WHERE %s " GE " $1 AND %s " LT " $2"
							 " AND (%s " GT " $1 OR %s " GE " $3) ORDER BY %s, %s",
							 ts, ts, ts, id, ts, id);
			types[n++] = statement->ts_type;
			types[n++] = statement->ts_type;
			types[n++] = INT8OID;
			break;
	}
	if (statement->chunked)
		appendStringInfo(&sql, " FETCH FIRST %d ROWS WITH TIES",
						 settings->batch);
	if (*settings->query_suffix != '\0')
		appendStringInfo(&sql, " %s", settings->query_suffix);
	statement->read = prepare_plan(settings, sql.data, n, types);

	if (settings->mode == CONNECT_JDBC_INCREMENTING)
	{
		resetStringInfo(&sql);
		appendStringInfo(&sql, "SELECT pg_catalog.max(%s) FROM %s WHERE %s " GE " $1",
						 id, source->relation, id);
		statement->top = prepare_plan(settings, sql.data, 1, types);
	}
	statement->heap = settings->mode == CONNECT_JDBC_BULK &&
		source->rel != NULL && strcmp(source->list, "*") == 0 &&
		*settings->query_suffix == '\0';
}

/* Does an index give the order of this column? */
static bool
has_index(Relation rel, AttrNumber attnum)
{
	List	   *indexes;
	ListCell   *lc;
	bool		result = false;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
		rel->rd_rel->relkind != RELKIND_MATVIEW &&
		(rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relhassubclass))
		return false;
	indexes = RelationGetIndexList(rel);
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			index->rd_index->indkey.values[0] == attnum &&
			RelationGetIndexPredicate(index) == NIL)
			result = true;
		index_close(index, NoLock);
	}
	list_free(indexes);
	return result;
}

/*
 * All relations that the statement reads, views' base tables included, with
 * their partitions and children: a writer may name any of them.
 */
static void
find_relations(ConnectJdbcStatement *statement)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(statement->read));
	List	   *relids = NIL;
	ListCell   *lc;

	foreach(lc, source->relationOids)
		relids = list_concat_unique_oid(relids,
										find_all_inheritors(lfirst_oid(lc), NoLock, NULL));
	statement->relids = palloc(sizeof(Oid) * Max(list_length(relids), 1));
	foreach(lc, relids)
		statement->relids[statement->nrelids++] = lfirst_oid(lc);
}

/* Local time in the zone of the settings, and back. */
static Timestamp
local_from_instant(const ConnectJdbcSettings *settings, TimestampTz ts)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	Timestamp	result;

	if (settings->row.zone == NULL || TIMESTAMP_NOT_FINITE(ts))
		return ts;
	if (timestamp2tm(ts, &tz, &tm, &fsec, NULL, settings->zone) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

static TimestampTz
instant_from_local(const ConnectJdbcSettings *settings, Timestamp ts)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	TimestampTz result;

	if (settings->row.zone == NULL || TIMESTAMP_NOT_FINITE(ts))
		return ts;
	if (timestamp2tm(ts, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	tz = DetermineTimeZoneOffset(&tm, settings->zone);
	if (tm2timestamp(&tm, fsec, &tz, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

/*
 * Days are bounded by whole days: the rows of one are read when it is over,
 * for until then more may come.
 */
Datum
connect_jdbc_statement_bound(const ConnectJdbcStatement *statement,
							 const ConnectJdbcSettings *settings, TimestampTz ts)
{
	switch (statement->ts_type)
	{
		case TIMESTAMPTZOID:
			return TimestampTzGetDatum(ts);
		case TIMESTAMPOID:
			return TimestampGetDatum(local_from_instant(settings, ts));
		default:
			return DirectFunctionCall1(timestamp_date,
									   TimestampGetDatum(local_from_instant(settings, ts)));
	}
}

TimestampTz
connect_jdbc_instant(const ConnectJdbcSettings *settings, Oid type, Datum value)
{
	switch (type)
	{
		case TIMESTAMPTZOID:
			return DatumGetTimestampTz(value);
		case TIMESTAMPOID:
			return instant_from_local(settings, DatumGetTimestamp(value));
		default:
			return instant_from_local(settings,
									  DatumGetTimestamp(DirectFunctionCall1(date_timestamp,
																			value)));
	}
}

int64
connect_jdbc_id(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
		case OIDOID:
			return DatumGetObjectId(value);
		default:
			{
				Datum		id = DirectFunctionCall1(numeric_int8, value);

				if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value,
													  DirectFunctionCall1(int8_numeric, id))))
					ereport(ERROR,
							(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							 errmsg("incrementing column has the value %s, which is no integer",
									DatumGetCString(DirectFunctionCall1(numeric_out, value)))));
				return DatumGetInt64(id);
			}
	}
}
