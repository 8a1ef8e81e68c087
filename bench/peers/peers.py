"""The peers written in Python, behind the line protocol of `worker/src/protocol.rs`: `peers.py NAME` answers commands on
standard input with lines of JSON on standard output. Each system is used as its own documentation shows."""

import asyncio
import importlib.metadata
import itertools
import json
import os
import sqlite3
import sys
import time
import uuid

APP, USER = "bench", "user"
BATCH = 100


def asyncpg_url(target):
    return target["postgres"].replace("postgres://", "postgresql+asyncpg://", 1)


def durability(path):
    """What a file opened by Python's sqlite3 has, if the library sets nothing else on its connections."""
    connection = sqlite3.connect(path)
    journal, synchronous = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous"))
    connection.close()
    return f"journal_mode={journal}, synchronous={synchronous}"


class System:
    """What a system does. A thread is what a caller keeps of a conversation."""

    async def append(self, thread, caller, text):
        raise NotImplementedError

    async def load(self, thread, texts):
        for text in texts:
            await self.append(thread, 0, text)

    def about(self):
        raise NotImplementedError


class OpenAIAgents(System):
    package = "openai-agents"

    async def open(self, target):
        self.engine, self.path = None, ":memory:"
        if target == "memory":
            self.words = "SQLiteSession without a file, its default"
        elif "sqlite" in target:
            self.path = target["sqlite"]
            self.words = "SQLiteSession, objects kept"
        else:
            from sqlalchemy.ext.asyncio import create_async_engine

            self.engine = create_async_engine(asyncpg_url(target))
            self.words = "SQLAlchemySession, asyncpg, one engine with its pool of 5 + 10"
        await self.create()

    async def create(self):
        name = str(uuid.uuid4())
        if self.engine is None:
            from agents import SQLiteSession

            return SQLiteSession(name, self.path)
        from agents.extensions.memory import SQLAlchemySession

        session = SQLAlchemySession(name, engine=self.engine, create_tables=True)
        await session.get_items(limit=1)
        return session

    async def append(self, session, caller, text):
        await session.add_items([{"role": "user", "content": text}])

    async def load(self, session, texts):
        await session.add_items([{"role": "user", "content": text} for text in texts])

    async def last(self, session, count):
        return len(await session.get_items(limit=count))

    def about(self):
        return self.words + (f"; {durability(self.path)}" if "objects" in self.words else "")


class LangChain(System):
    package = "langchain-postgres"
    table = "chat_history"

    async def open(self, target):
        self.connections = []
        if target == "memory":
            self.package = "langchain-core"
            return
        import psycopg
        from langchain_postgres import PostgresChatMessageHistory

        # Its history takes a connection, and one connection does one thing at a time.
        for _ in range(16):
            self.connections.append(await psycopg.AsyncConnection.connect(target["postgres"]))
        await PostgresChatMessageHistory.acreate_tables(self.connections[0], self.table)

    async def create(self):
        if self.connections:
            return str(uuid.uuid4())
        from langchain_core.chat_history import InMemoryChatMessageHistory

        return InMemoryChatMessageHistory()

    def history(self, thread, caller):
        if not self.connections:
            return thread
        from langchain_postgres import PostgresChatMessageHistory

        return PostgresChatMessageHistory(self.table, thread, async_connection=self.connections[caller])

    async def append(self, thread, caller, text):
        from langchain_core.messages import HumanMessage

        await self.history(thread, caller).aadd_messages([HumanMessage(content=text)])

    async def load(self, thread, texts):
        from langchain_core.messages import HumanMessage

        await self.history(thread, 0).aadd_messages([HumanMessage(content=text) for text in texts])

    async def last(self, thread, count):
        return len((await self.history(thread, 0).aget_messages())[-count:])

    def about(self):
        if self.connections:
            return "PostgresChatMessageHistory, async psycopg, a connection a caller; reads all, then the last"
        return "InMemoryChatMessageHistory; reads all, then the last"


class LlamaIndex(System):
    package = "llama-index-storage-chat-store-postgres"

    async def open(self, target):
        self.loaded = []
        if target == "memory":
            from llama_index.core.storage.chat_store import SimpleChatStore

            self.package = "llama-index-core"
            self.store = SimpleChatStore()
        else:
            from llama_index.storage.chat_store.postgres import PostgresChatStore

            self.store = PostgresChatStore.from_uri(uri=asyncpg_url(target))

    async def create(self):
        return str(uuid.uuid4())

    async def append(self, thread, caller, text):
        from llama_index.core.llms import ChatMessage

        await self.store.async_add_message(thread, ChatMessage(role="user", content=text))

    async def load(self, thread, texts):
        from llama_index.core.llms import ChatMessage

        # It has no call that appends several; this one replaces all.
        self.loaded += [ChatMessage(role="user", content=text) for text in texts]
        await self.store.aset_messages(thread, self.loaded)

    async def last(self, thread, count):
        return len((await self.store.aget_messages(thread))[-count:])

    def about(self):
        return f"{type(self.store).__name__}, async; reads all, then the last"


class GoogleAdk(System):
    package = "google-adk"

    async def open(self, target):
        from google.adk.sessions import DatabaseSessionService, InMemorySessionService

        self.path = None
        if target == "memory":
            self.service = InMemorySessionService()
        elif "sqlite" in target:
            self.path = target["sqlite"]
            self.service = DatabaseSessionService(f"sqlite+aiosqlite:///{self.path}")
        else:
            self.service = DatabaseSessionService(asyncpg_url(target))

    async def create(self):
        return await self.service.create_session(app_name=APP, user_id=USER)

    async def append(self, session, caller, text):
        from google.adk.events import Event
        from google.genai import types

        content = types.Content(role="user", parts=[types.Part(text=text)])
        await self.service.append_event(session, Event(author="user", invocation_id="invocation", content=content))

    async def last(self, session, count):
        from google.adk.sessions.base_session_service import GetSessionConfig

        config = GetSessionConfig(num_recent_events=count)
        read = await self.service.get_session(app_name=APP, user_id=USER, session_id=session.id, config=config)
        return len(read.events)

    def about(self):
        words = f"{type(self.service).__name__}, session objects kept"
        return words + (f"; {durability(self.path)}" if self.path else "")


class Fluxibly(System):
    package = "fluxibly"

    async def open(self, target):
        from fluxibly.state.manager import StateManager
        from loguru import logger

        logger.remove()  # It logs each message at debug level, to standard error unless told otherwise.
        self.state = StateManager()

    async def create(self):
        return (await self.state.create_thread("a thread")).id

    async def append(self, thread, caller, text):
        await self.state.add_message("user", text, thread_id=thread)

    async def last(self, thread, count):
        # It has no "last": an offset from the start, which the caller has to know.
        offset = max(0, self.long - count)
        return len(await self.state.get_messages(thread, limit=count, offset=offset))

    def about(self):
        return "StateManager with its mock store, logging off"


class Worker:
    def __init__(self, system):
        self.system, self.threads, self.long = system, [], None

    async def open(self, target, texts):
        self.texts = itertools.cycle(texts)
        await self.system.open(target)
        return {"version": importlib.metadata.version(self.system.package), "about": self.system.about()}

    async def prepare(self, threads, history, cap):
        self.threads = [await self.system.create() for _ in range(threads)]
        self.long, loaded, start = await self.system.create(), 0, time.monotonic()
        while loaded < history and time.monotonic() - start < cap:
            batch = list(itertools.islice(self.texts, min(BATCH, history - loaded)))
            await self.system.load(self.long, batch)
            loaded += len(batch)
        self.system.long = loaded
        return {"history": loaded}

    async def append(self, callers, seconds):
        rate, start = Rate(), time.monotonic()

        async def caller(number):
            for thread in itertools.cycle(self.threads[number::callers]):
                await rate.count(self.system.append(thread, number, next(self.texts)))
                if time.monotonic() - start >= seconds:
                    return

        await asyncio.gather(*(caller(number) for number in range(callers)))
        return rate.answer(start)

    async def last(self, count, seconds):
        rate, start = Rate(), time.monotonic()

        async def read():
            found = await self.system.last(self.long, count)
            if found != count:
                raise ValueError(f"{found} messages came instead of {count}")

        while time.monotonic() - start < seconds:
            await rate.count(read())
        return rate.answer(start)


class Rate:
    def __init__(self):
        self.done, self.errors, self.first_error = 0, 0, None

    async def count(self, call):
        try:
            await call
            self.done += 1
        except Exception as error:
            self.errors += 1
            self.first_error = self.first_error or f"{type(error).__name__}: {error}"

    def answer(self, start):
        seconds = time.monotonic() - start
        return {"done": self.done, "errors": self.errors, "first_error": self.first_error, "seconds": seconds}


SYSTEMS = {
    "openai-agents": OpenAIAgents,
    "langchain-postgres": LangChain,
    "llama-index": LlamaIndex,
    "google-adk": GoogleAdk,
    "fluxibly": Fluxibly,
}


async def main():
    # What a library prints must not come between the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(SYSTEMS[sys.argv[1]]())
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"ok": await getattr(worker, command.pop("command"))(**command)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


asyncio.run(main())
