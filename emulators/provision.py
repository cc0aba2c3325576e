"""Everything of the catalogue that must exist before the first request, made through Google's own clients.

What Terraform does in production: queues, key, topics, push subscriptions with dead letters, jobs.
Making it twice is harmless.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

import grpc
from google.api_core.exceptions import AlreadyExists
from google.cloud import kms_v1, scheduler_v1, tasks_v2
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from emulators.catalogue import Catalogue, Job, Queue, Subscription
from shared.settings import Settings

_SECONDS: Final = 20.0
"""Deadline of each call."""

_JOB_RETRIES: Final = scheduler_v1.RetryConfig(
    retry_count=5, min_backoff_duration=timedelta(seconds=5), max_backoff_duration=timedelta(seconds=60)
)
"""As in infra/terraform/modules/job."""

_SHORTEST_DEADLINE: Final = 15
"""Cloud Scheduler's minimum, in seconds."""


def provision(catalogue: Catalogue, settings: Settings, relay_url: str) -> None:
    """Make what the catalogue names.

    `relay_url` is the base of the addresses that Pub/Sub pushes to: the emulator cannot sign, so
    pushes pass through our services, which do.
    """
    _make_queues(catalogue, settings)
    _make_keys(settings)
    _make_topics(catalogue, settings, relay_url)
    _make_jobs(catalogue, settings)


def channel(address: str) -> grpc.Channel:
    """A plain channel to a loopback address, never through a proxy."""
    return grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])


def scheduler_client(address: str) -> scheduler_v1.CloudSchedulerClient:
    """Google's Scheduler client, talking to ours."""
    return scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel(address)))


def job_name(settings: Settings, job: str) -> str:
    """The full name of a job."""
    return f"{_location(settings)}/jobs/{job}"


def _location(settings: Settings) -> str:
    return f"projects/{settings.project}/locations/{settings.region}"


def _once(create: Callable[[], object]) -> None:
    try:
        create()
    except AlreadyExists:
        return


# --- Cloud Tasks -------------------------------------------------------------------------


def _make_queues(catalogue: Catalogue, settings: Settings) -> None:
    client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint)))
    with client:
        for queue in catalogue.queues:
            message = _queue(queue, _location(settings))
            request = tasks_v2.CreateQueueRequest(parent=_location(settings), queue=message)
            _once(partial(client.create_queue, request=request, timeout=_SECONDS))


def _queue(queue: Queue, location: str) -> tasks_v2.Queue:
    return tasks_v2.Queue(
        name=f"{location}/queues/{queue.name}",
        rate_limits=tasks_v2.RateLimits(
            max_dispatches_per_second=queue.max_dispatches_per_second,
            max_concurrent_dispatches=queue.max_concurrent_dispatches,
        ),
        retry_config=tasks_v2.RetryConfig(
            max_attempts=queue.max_attempts,
            max_retry_duration=timedelta(seconds=queue.max_retry_seconds),
            min_backoff=timedelta(seconds=queue.min_backoff_seconds),
            max_backoff=timedelta(seconds=queue.max_backoff_seconds),
            max_doublings=queue.max_doublings,
        ),
    )


# --- Cloud KMS ---------------------------------------------------------------------------


def _make_keys(settings: Settings) -> None:
    purpose, algorithm = kms_v1.CryptoKey.CryptoKeyPurpose, kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
    signs = kms_v1.CryptoKeyVersionTemplate(algorithm=algorithm.EC_SIGN_P256_SHA256)
    wanted = {
        settings.kms_key: kms_v1.CryptoKey(purpose=purpose.ENCRYPT_DECRYPT),
        settings.seal_key_version: kms_v1.CryptoKey(purpose=purpose.ASYMMETRIC_SIGN, version_template=signs),
    }
    transport = KeyManagementServiceGrpcTransport(channel=channel(settings.kms_endpoint))
    with kms_v1.KeyManagementServiceClient(transport=transport) as client:
        for name, key in wanted.items():
            parts = name.split("/")
            location, ring, key_id = "/".join(parts[:4]), parts[5], parts[7]
            new_ring = kms_v1.CreateKeyRingRequest(parent=location, key_ring_id=ring, key_ring=kms_v1.KeyRing())
            _once(partial(client.create_key_ring, request=new_ring, timeout=_SECONDS))
            new_key = kms_v1.CreateCryptoKeyRequest(
                parent=f"{location}/keyRings/{ring}", crypto_key_id=key_id, crypto_key=key
            )
            _once(partial(client.create_crypto_key, request=new_key, timeout=_SECONDS))


# --- Pub/Sub -----------------------------------------------------------------------------


def dead_letters(subscription: str) -> str:
    """The topic, and its pull subscription, that keep what a subscription's door did not take."""
    return f"{subscription}-dead"


def _make_topics(catalogue: Catalogue, settings: Settings, relay_url: str) -> None:
    link = channel(settings.pubsub_endpoint)
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=link))
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=link))
    with publisher, subscriber:
        for topic in (*catalogue.topics, *(dead_letters(one.name) for one in catalogue.subscriptions)):
            name = f"projects/{settings.project}/topics/{topic}"
            _once(partial(publisher.create_topic, name=name, timeout=_SECONDS))
        for one in catalogue.subscriptions:
            for message in (_push(one, settings.project, relay_url), _kept_dead(one, settings.project)):
                _once(partial(subscriber.create_subscription, request=message, timeout=_SECONDS))


def _push(one: Subscription, project: str, relay_url: str) -> types.Subscription:
    topic = f"projects/{project}/topics/{one.topic}"
    return types.Subscription(
        name=f"projects/{project}/subscriptions/{one.name}",
        topic=topic,
        push_config=types.PushConfig(push_endpoint=f"{relay_url}/push/{one.function}/{topic}"),
        ack_deadline_seconds=one.ack_deadline_seconds,
        retry_policy=types.RetryPolicy(
            minimum_backoff=timedelta(seconds=one.min_backoff_seconds),
            maximum_backoff=timedelta(seconds=one.max_backoff_seconds),
        ),
        dead_letter_policy=types.DeadLetterPolicy(
            dead_letter_topic=f"projects/{project}/topics/{dead_letters(one.name)}",
            max_delivery_attempts=one.max_delivery_attempts,
        ),
    )


def _kept_dead(one: Subscription, project: str) -> types.Subscription:
    name = dead_letters(one.name)
    return types.Subscription(
        name=f"projects/{project}/subscriptions/{name}", topic=f"projects/{project}/topics/{name}"
    )


# --- Cloud Scheduler ---------------------------------------------------------------------


def _make_jobs(catalogue: Catalogue, settings: Settings) -> None:
    email = f"{catalogue.callers['scheduler']}@{settings.callers_domain}"
    with scheduler_client(settings.tasks_endpoint) as client:
        for job in catalogue.jobs:
            message = _job(job, settings, email, catalogue.function(job.function).timeout_seconds)
            _once(partial(client.create_job, parent=_location(settings), job=message, timeout=_SECONDS))


def _job(job: Job, settings: Settings, email: str, deadline_seconds: int) -> scheduler_v1.Job:
    url = f"{settings.doors_url}/{job.function}"
    return scheduler_v1.Job(
        name=job_name(settings, job.name),
        schedule=job.cron,
        time_zone=job.zone,
        attempt_deadline=timedelta(seconds=max(deadline_seconds, _SHORTEST_DEADLINE)),
        retry_config=_JOB_RETRIES,
        http_target=scheduler_v1.HttpTarget(
            uri=url,
            http_method=scheduler_v1.HttpMethod.POST,
            headers={"Content-Type": "application/json"},
            body=json.dumps({"job": job.name}).encode(),
            oidc_token=scheduler_v1.OidcToken(service_account_email=email, audience=url),
        ),
    )
