/*
 * compat.h
 *	  What differs between PostgreSQL 15, 16, 17 and 18: the only place that
 *	  asks for the server's version.
 */
#ifndef CONNECT_COMPAT_H
#define CONNECT_COMPAT_H

#include "postgres.h"

#include "access/tableam.h"
#include "catalog/pg_database.h"
#include "executor/executor.h"
#include "catalog/pg_namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "connect is for PostgreSQL 15 to 18"
#endif

/* Calls that took one more argument. */
#if PG_VERSION_NUM >= 180000
#define connect_index_beginscan(heap, index, snapshot, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, norderbys)
#define connect_form_minimal_tuple(desc, values, nulls) \
	heap_form_minimal_tuple(desc, values, nulls, 0)
#define connect_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel, false)
#else
#define connect_index_beginscan(heap, index, snapshot, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, nkeys, norderbys)
#define connect_form_minimal_tuple(desc, values, nulls) \
	heap_form_minimal_tuple(desc, values, nulls)
#define connect_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel)
#endif

/* The leaf where a key is or would be, locked for reading; its way there. */
#if PG_VERSION_NUM >= 170000
#define connect_bt_search(index, heap, key, leaf, snapshot) \
	_bt_search((index), (heap), (key), (leaf), BT_READ)
#elif PG_VERSION_NUM >= 160000
#define connect_bt_search(index, heap, key, leaf, snapshot) \
	_bt_search((index), (heap), (key), (leaf), BT_READ, (snapshot))
#else
#define connect_bt_search(index, heap, key, leaf, snapshot) \
	_bt_search((index), (key), (leaf), BT_READ, (snapshot))
#endif

/* Process number of a PGPROC, and back. */
#if PG_VERSION_NUM >= 170000
#define connect_procno(proc) ((int) GetNumberFromPGProc(proc))
#else
#define connect_procno(proc) ((proc)->pgprocno)
#endif
#define connect_proc_latch(procno) (&ProcGlobal->allProcs[(procno)].procLatch)

/* Transactions before it have no status any more; under XactTruncationLock. */
#if PG_VERSION_NUM >= 170000
#define connect_oldest_clog_xid() (TransamVariables->oldestClogXid)
#else
#define connect_oldest_clog_xid() (ShmemVariableCache->oldestClogXid)
#endif

/* A wait event set that lives as long as the process. */
static inline WaitEventSet *
connect_create_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* The wait event with this name: *cache is static and starts as 0. */
static inline uint32
connect_wait_event(uint32 *cache, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cache == 0)
		*cache = WaitEventExtensionNew(name);
#else
	*cache = PG_WAIT_EXTENSION;
#endif
	return *cache;
}

/* Owner, or a member of it, or superuser? */
static inline bool
connect_database_ownercheck(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

static inline bool
connect_database_may_connect(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(DatabaseRelationId, database, role,
						   ACL_CONNECT) == ACLCHECK_OK;
#else
	return pg_database_aclcheck(database, role, ACL_CONNECT) == ACLCHECK_OK;
#endif
}

/* Superuser, or a member that may SET ROLE to it? */
static inline bool
connect_may_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/* Has the role this right on a schema or a function? */
static inline bool
connect_may(Oid catalog, Oid object, Oid role, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(catalog, object, role, mode) == ACLCHECK_OK;
#else
	return (catalog == NamespaceRelationId ?
			pg_namespace_aclcheck(object, role, mode) :
			pg_proc_aclcheck(object, role, mode)) == ACLCHECK_OK;
#endif
}

/* Can a worker connect as a role without LOGIN? */
#if PG_VERSION_NUM >= 170000
#define CONNECT_BYPASS_ROLELOGINCHECK BGWORKER_BYPASS_ROLELOGINCHECK
#define CONNECT_CAN_BYPASS_ROLELOGINCHECK true
#else
#define CONNECT_BYPASS_ROLELOGINCHECK 0
#define CONNECT_CAN_BYPASS_ROLELOGINCHECK false
#endif

/* Backend and local transaction of a lock's holder. */
#if PG_VERSION_NUM >= 170000
#define connect_lock_backend(lock) ((lock)->vxid.procNumber)
#define connect_lock_lxid(lock) ((lock)->vxid.localTransactionId)
#define connect_proc_lxid(proc) ((proc)->vxid.lxid)
#else
#define connect_lock_backend(lock) ((lock)->backend)
#define connect_lock_lxid(lock) ((lock)->lxid)
#define connect_proc_lxid(proc) ((proc)->lxid)
#endif

/* Backend statuses, from 1 on; NULL for one that is not in use. */
#if PG_VERSION_NUM >= 160000
#define connect_local_beentry(i) pgstat_get_local_beentry_by_index(i)
#else
#define connect_local_beentry(i) pgstat_fetch_stat_local_beentry(i)
#endif

/* A qualified name in parts; 16 added a way not to raise. */
#if PG_VERSION_NUM >= 160000
#define connect_name_list(name) stringToQualifiedNameList((name), NULL)
#else
#define connect_name_list(name) stringToQualifiedNameList(name)
#endif

/* Empties relations that are open and locked; 16 added whose rights count. */
#if PG_VERSION_NUM >= 160000
#define connect_truncate(rels, relids) \
	ExecuteTruncateGuts(rels, relids, NIL, DROP_RESTRICT, false, false)
#else
#define connect_truncate(rels, relids) \
	ExecuteTruncateGuts(rels, relids, NIL, DROP_RESTRICT, false)
#endif

/* Index entries of a row that is in the heap; indexes to be checked again. */
#if PG_VERSION_NUM >= 160000
#define connect_insert_index_tuples(rri, slot, estate) \
	ExecInsertIndexTuples((rri), (slot), (estate), false, false, NULL, NIL, \
						  false)
#else
#define connect_insert_index_tuples(rri, slot, estate) \
	ExecInsertIndexTuples((rri), (slot), (estate), false, false, NULL, NIL)
#endif

/*
 * Replaces a row, waiting for whoever is changing it, and makes the entries of
 * the indexes that need one.  16 learnt to leave some of them out.
 */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes ConnectIndexUpdate;
#define connect_update_index_tuples(rri, slot, estate, which) \
	((which) == TU_None || (rri)->ri_NumIndices == 0 ? NIL : \
	 ExecInsertIndexTuples((rri), (slot), (estate), true, false, NULL, NIL, \
						   (which) == TU_Summarizing))
#else
typedef bool ConnectIndexUpdate;
#define connect_update_index_tuples(rri, slot, estate, which) \
	(!(which) || (rri)->ri_NumIndices == 0 ? NIL : \
	 ExecInsertIndexTuples((rri), (slot), (estate), true, false, NULL, NIL))
#endif

/*
 * A type's input function.  False with a message if the text is bad; 15 raises
 * instead.
 */
static inline bool
connect_compat_input(FmgrInfo *input, char *text, Oid ioparam, int32 typmod,
					 Datum *value, char **message)
{
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext context = {T_ErrorSaveContext};

	context.details_wanted = true;
	if (!InputFunctionCallSafe(input, text, ioparam, typmod,
							   (fmNodePtr) &context, value))
	{
		*message = context.error_data->message;
		return false;
	}
#else
	*value = InputFunctionCall(input, text, ioparam, typmod);
#endif
	return true;
}

#endif							/* CONNECT_COMPAT_H */
